/** The height of a row whose payload is folded, in CSS pixels. It is equal to `--row` in the style sheet. */
export const ROW_HEIGHT = 28;

/** A row that is higher than the others. */
export interface TallRow {
  readonly row: number;
  /** The height that the row has beyond `ROW_HEIGHT`, in CSS pixels. */
  readonly extra: number;
}

/** The places of a list's rows, nearly all of which have the same height. */
export interface RowLayout {
  readonly count: number;
  /** Ascending, each row once. */
  readonly tall: readonly TallRow[];
}

/** Consecutive rows, from `from` to before `to`. */
export interface RowWindow {
  readonly from: number;
  readonly to: number;
}

/** Plans a layout of `count` rows. The time it takes depends on the tall rows, not on all. */
export function planLayout(count: number, tall: readonly TallRow[]): RowLayout {
  return {
    count,
    tall: tall.filter(({ row }) => row < count).toSorted((one, other) => one.row - other.row),
  };
}

/** The top of a row in CSS pixels from the top of the list; for `count`, the bottom of the last row. */
export function offsetOf({ tall }: RowLayout, row: number): number {
  let offset = row * ROW_HEIGHT;
  for (const one of tall) {
    if (one.row >= row) break;
    offset += one.extra;
  }
  return offset;
}

/** The row at an offset. For an offset outside of the list, it is the first or the last row. */
export function rowAt({ count, tall }: RowLayout, offset: number): number {
  let extra = 0;
  for (const one of tall) {
    const begin = one.row * ROW_HEIGHT + extra;
    if (offset < begin + ROW_HEIGHT) break;
    if (offset < begin + ROW_HEIGHT + one.extra) return one.row;
    extra += one.extra;
  }
  return Math.max(0, Math.min(count - 1, Math.floor((offset - extra) / ROW_HEIGHT)));
}

/** The rows to draw to fill a view, with `spare` more on either side. */
export function planWindow(
  layout: RowLayout,
  scrollTop: number,
  viewHeight: number,
  spare: number,
): RowWindow {
  if (layout.count === 0) return { from: 0, to: 0 };
  return {
    from: Math.max(0, rowAt(layout, scrollTop) - spare),
    to: Math.min(layout.count, rowAt(layout, scrollTop + viewHeight) + 1 + spare),
  };
}

/** The scroll position that shows a whole row, or its top if it is higher than the view; unchanged if the row is already shown. */
export function planReveal(
  layout: RowLayout,
  row: number,
  scrollTop: number,
  viewHeight: number,
): number {
  const begin = offsetOf(layout, row);
  const end = offsetOf(layout, row + 1);
  if (begin < scrollTop) return begin;
  if (end > scrollTop + viewHeight) return Math.min(begin, end - viewHeight);
  return scrollTop;
}
