/**
 * The row to which a key moves from the active row; `null` for any other key.
 * @param count the number of rows, at least one
 * @param page how many rows a page key moves
 */
export function planMove(key: string, row: number, count: number, page: number): number | null {
  const to = targetOf(key, row, count, page);
  return to === null ? null : Math.max(0, Math.min(count - 1, to));
}

function targetOf(key: string, row: number, count: number, page: number): number | null {
  switch (key) {
    case "ArrowDown":
    case "j":
      return row + 1;
    case "ArrowUp":
    case "k":
      return row - 1;
    case "PageDown":
      return row + page;
    case "PageUp":
      return row - page;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
