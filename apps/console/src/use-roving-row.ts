import { type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";
import { rowId } from "./event-row.tsx";
import { planMove } from "./plan-move.ts";
import { type RowLayout, ROW_HEIGHT, rowAt } from "./row-layout.ts";
import type { ShownEvents } from "./shown-events.ts";
import type { Scroll } from "./use-scroll.ts";
import { hasModifier } from "./use-shortcuts.ts";

/** The row at which the arrow keys start, and the only one at which Tab stops. */
export interface RovingRow {
  /** -1 in an empty list. */
  readonly row: number;
  /** Sets the event of the row. Stays the same function. */
  readonly setActive: (sequence: number) => void;
  /** Shows a row and gives it the focus. */
  readonly activate: (row: number) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** Moves the focus through rows, of which only the visible ones are in the page. */
export function useRovingRow(
  shown: ShownEvents,
  layout: RowLayout,
  scroll: Scroll,
  onFollow: (isFollowing: boolean) => void,
): RovingRow {
  const [active, setActive] = useState<number | null>(null);
  /** The event whose row gets the focus as soon as it is drawn. */
  const wanted = useRef<number | null>(null);
  const row = rowOf(shown, active) ?? (shown.count === 0 ? -1 : rowAt(layout, scroll.top));

  // Not a passive effect: a late one would run with the rows before the key was pressed, and not find the row.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const sequence = wanted.current;
    wanted.current = null;
    document.getElementById(rowId(sequence))?.focus({ preventScroll: true });
  });

  function activate(to: number): void {
    const sequence = shown.at(to)?.sequence;
    if (sequence === undefined) return;
    onFollow(false);
    setActive(sequence);
    scroll.reveal(to);
    const button = document.getElementById(rowId(sequence));
    // A row that is not drawn yet is drawn in the next render.
    if (button === null) wanted.current = sequence;
    else button.focus({ preventScroll: true });
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (hasModifier(event) || shown.count === 0) return;
    // A payload is scrolled by these keys.
    if (event.target instanceof HTMLElement && event.target.tagName === "PRE") return;
    const page = Math.max(1, Math.floor(scroll.viewHeight / ROW_HEIGHT) - 1);
    const to = planMove(event.key, row, shown.count, page);
    if (to === null) return;
    event.preventDefault();
    activate(to);
  }

  return { row, setActive, activate, onKeyDown };
}

/** The row of an event, `null` unless it is shown. */
function rowOf(shown: ShownEvents, sequence: number | null): number | null {
  if (sequence === null) return null;
  const row = shown.rowOf(sequence);
  return shown.at(row)?.sequence === sequence ? row : null;
}
