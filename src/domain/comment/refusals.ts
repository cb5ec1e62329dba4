/** What is refused of comments and of the threads that they stand in. */
export type CommentRefusal =
  | 'comment-not-found'
  | 'comment-gone'
  | 'comment-fixed'
  | 'comment-unwanted'
  | 'text-refused'
  | 'comments-not-open'
  | 'comments-too-soon'
  | 'quote-invalid'
  | 'thread-closed'
  | 'thread-frozen'
  | 'thread-too-deep'
