import {
  type CSSProperties,
  type ReactNode,
  type Ref,
  useCallback,
  useImperativeHandle,
  useLayoutEffect,
} from "react";
import { EventRow } from "./event-row.tsx";
import { offsetOf, planWindow } from "./row-layout.ts";
import type { ShownEvents } from "./shown-events.ts";
import { useOpenRows } from "./use-open-rows.ts";
import { useRovingRow } from "./use-roving-row.ts";
import { useScroll } from "./use-scroll.ts";

/** How many rows are drawn on either side of those that are seen. */
const SPARE_ROWS = 10;

/** What others do with the timeline. */
export interface TimelineHandle {
  /** Goes to an event, or the first behind it that is shown, and gives it the focus. */
  readonly show: (sequence: number) => void;
  /** Gives the focus to the row that keys move from. */
  readonly focus: () => void;
}

/** What a timeline shows, and tells. */
export interface TimelineProps {
  readonly ref: Ref<TimelineHandle>;
  readonly shown: ShownEvents;
  /** Changes when other events are shown: the place in the list is kept. */
  readonly filterKey: string;
  readonly startedAtMs: number;
  /** Whether it stays at the newest event. */
  readonly isFollowing: boolean;
  /** The user has scrolled away from the newest, or back to it. */
  readonly onFollow: (isFollowing: boolean) => void;
}

/** A run's events as rows, of which only those that are seen are in the page, however many there are. */
export function Timeline(props: TimelineProps): ReactNode {
  const { ref, shown, filterKey, startedAtMs, isFollowing, onFollow } = props;
  const { layout, isOpen, toggle, onHeight, takeUnfolded } = useOpenRows(shown);
  const scroll = useScroll({ shown, layout, filterKey, isFollowing, onFollow });
  const { stay } = scroll;

  // What was unfolded just now is to be seen whole.
  useLayoutEffect(() => {
    const sequence = takeUnfolded();
    if (sequence !== null) scroll.reveal(shown.rowOf(sequence));
  });

  const {
    row: activeRow,
    setActive,
    activate,
    onKeyDown,
  } = useRovingRow(shown, layout, scroll, onFollow);

  useImperativeHandle(ref, () => ({
    show: (sequence) => activate(Math.min(shown.count - 1, shown.rowOf(sequence))),
    focus: () => activate(activeRow),
  }));

  const onToggle = useCallback(
    (sequence: number): void => {
      // A user who unfolds wants to read.
      onFollow(false);
      stay();
      setActive(sequence);
      toggle(sequence);
    },
    [onFollow, stay, setActive, toggle],
  );

  function drawn(row: number): ReactNode {
    const event = shown.at(row);
    if (event === undefined) return null;
    return (
      <EventRow
        key={event.sequence}
        event={event}
        row={row}
        top={offsetOf(layout, row)}
        startedAtMs={startedAtMs}
        isOpen={isOpen(event.sequence)}
        isActive={row === activeRow}
        onToggle={onToggle}
        onHeight={onHeight}
      />
    );
  }

  const seen = planWindow(layout, scroll.top, scroll.viewHeight, SPARE_ROWS);
  return (
    <div
      ref={scroll.scroller}
      className="timeline"
      onScroll={scroll.onScroll}
      onWheel={scroll.onWheel}
      onKeyDown={onKeyDown}
    >
      {shown.count === 0 && <p className="notice soft">There is no event to show.</p>}
      <ol aria-label="Events" style={listStyle(scroll.height, shown)}>
        {rowsOf(seen.from, seen.to, activeRow).map(drawn)}
      </ol>
    </div>
  );
}

/** As high as all rows, and with room for the longest sequence in each. */
function listStyle(height: number, shown: ShownEvents): CSSProperties {
  const digits = Math.max(3, String(shown.at(shown.count - 1)?.sequence ?? "").length);
  return { height, "--digits": digits } as CSSProperties;
}

/** The rows to draw, in order: the active one too, wherever it is, since it has the focus. */
function rowsOf(from: number, to: number, activeRow: number): readonly number[] {
  const rows = Array.from({ length: to - from }, (_, index) => from + index);
  if (activeRow >= 0 && activeRow < from) return [activeRow, ...rows];
  return activeRow >= to ? [...rows, activeRow] : rows;
}
