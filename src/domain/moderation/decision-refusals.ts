/** What is refused of decisions, and of appeals against them. */
export type DecisionRefusal =
  | 'decision-not-found'
  | 'decision-invalid'
  | 'moderated-not-found'
  | 'moderated-gone'
  | 'own-case'
  | 'appeal-exists'
  | 'appeal-not-found'
  | 'appeal-not-yours'
  | 'appeal-too-late'
  | 'appeal-over'
  | 'appeal-full'
