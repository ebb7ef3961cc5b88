/** The height of a row whose payload is folded, in CSS pixels. The style sheet's `--row` says the same. */
export const ROW_HEIGHT = 28;

/** A row that is higher than the others. */
export interface TallRow {
  readonly row: number;
  /** What it has beyond `ROW_HEIGHT`, in CSS pixels. */
  readonly extra: number;
}

/** Where the rows of a list stand, of which nearly all have the same height. */
export interface RowLayout {
  readonly count: number;
  /** Ascending, each row once. */
  readonly tall: readonly TallRow[];
}

/** Rows that stand next to each other: `from` to `to`, `to` not among them. */
export interface RowWindow {
  readonly from: number;
  readonly to: number;
}

/** A layout of `count` rows. Takes time by the rows that are tall, not by all. */
export function planLayout(count: number, tall: readonly TallRow[]): RowLayout {
  return {
    count,
    tall: tall.filter(({ row }) => row < count).toSorted((one, other) => one.row - other.row),
  };
}

/** Where a row begins; for `count`, where the last ends. In CSS pixels from the top of the list. */
export function offsetOf({ tall }: RowLayout, row: number): number {
  let offset = row * ROW_HEIGHT;
  for (const one of tall) {
    if (one.row >= row) break;
    offset += one.extra;
  }
  return offset;
}

/** The row at an offset: the last one that begins at it or before it. The first or the last for one outside of the list. */
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

/** The rows that are to be drawn to fill a view, with `spare` more on either side. */
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

/** Where to scroll so that a row is seen whole, or from its top if it is higher than the view. Not at all if it is. */
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
