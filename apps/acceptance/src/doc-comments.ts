/** A comment's own text: no stars, no blanks around it. */
export function commentText(comment: string): string {
  return comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .replaceAll(/^[ \t]*\* ?/gm, "")
    .trim();
}
