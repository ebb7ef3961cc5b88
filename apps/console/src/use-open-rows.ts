import { useCallback, useRef, useState } from "react";
import { planLayout, type RowLayout } from "./row-layout.ts";
import type { ShownEvents } from "./shown-events.ts";

/** The unfolded events, and the place of each row. */
export interface OpenRows {
  readonly layout: RowLayout;
  readonly isOpen: (sequence: number) => boolean;
  readonly toggle: (sequence: number) => void;
  /** Reports the height that the payload adds to the event's row, in CSS pixels. */
  readonly onHeight: (sequence: number, extra: number) => void;
  /** Returns the event that was unfolded last, once, after its height is known; otherwise `null`. */
  readonly takeUnfolded: () => number | null;
}

/** Remembers which events are unfolded, even while they are not shown. `toggle` and `onHeight` stay the same functions. */
export function useOpenRows(shown: ShownEvents): OpenRows {
  /** By sequence, the heights of the payloads. */
  const [open, setOpen] = useState<ReadonlyMap<number, number>>(new Map());
  const unfolded = useRef<number | null>(null);

  const toggle = useCallback((sequence: number): void => {
    unfolded.current = sequence;
    setOpen((before) => {
      const next = new Map(before);
      if (!next.delete(sequence)) next.set(sequence, 0);
      return next;
    });
  }, []);
  const onHeight = useCallback((sequence: number, extra: number): void => {
    setOpen((before) =>
      before.get(sequence) === extra ? before : new Map(before).set(sequence, extra),
    );
  }, []);

  const tall = [...open].flatMap(([sequence, extra]) => {
    const row = shown.rowOf(sequence);
    return shown.at(row)?.sequence === sequence ? [{ row, extra }] : [];
  });
  return {
    layout: planLayout(shown.count, tall),
    isOpen: (sequence) => open.has(sequence),
    toggle,
    onHeight,
    takeUnfolded() {
      const sequence = unfolded.current;
      if (sequence === null || (open.get(sequence) ?? 0) === 0) return null;
      unfolded.current = null;
      return sequence;
    },
  };
}
