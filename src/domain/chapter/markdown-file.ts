/** What tells the parts of a story apart in a file of CommonMark: comments, which nobody is shown. */

/** Stands above the heading of each chapter. */
export const CHAPTER_MARK = '<!-- chapter -->'
/** Stands above what the story tells of, behind its authors. */
export const SUMMARY_MARK = '<!-- summary -->'
