/** What is refused of a chapter, beside what is refused of its story. */
export type ChapterRefusal =
  | 'chapter-not-found'
  | 'chapter-too-short'
  | 'chapter-revision-unknown'
  | 'chapters-busy'
  | 'markup-too-deep'
  | 'saves-too-many'
