/** What is refused of decisions. */
export type DecisionRefusal =
  | 'decision-not-found'
  | 'decision-invalid'
  | 'moderated-not-found'
  | 'moderated-gone'
  | 'own-case'
