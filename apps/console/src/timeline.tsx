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

/** The number of rows drawn on either side of the visible ones. */
const SPARE_ROWS = 10;

/** The actions that other components call on the timeline. */
export interface TimelineHandle {
  /** Scrolls to an event, or to the next one that is shown, and gives it the focus. */
  readonly show: (sequence: number) => void;
  /** Gives the focus to the row from which keys move. */
  readonly focus: () => void;
}

/** Props of the timeline. */
export interface TimelineProps {
  readonly ref: Ref<TimelineHandle>;
  readonly shown: ShownEvents;
  /** Changes when other events are shown: the place in the list is kept. */
  readonly filterKey: string;
  readonly startedAtMs: number;
  /** Whether the list stays at the newest event. */
  readonly isFollowing: boolean;
  /** Called when the user has scrolled away from the newest event, or back to it. */
  readonly onFollow: (isFollowing: boolean) => void;
}

/** A run's events as rows. Only the visible rows are in the page, for any number of events. */
export function Timeline(props: TimelineProps): ReactNode {
  const { ref, shown, filterKey, startedAtMs, isFollowing, onFollow } = props;
  const { layout, isOpen, toggle, onHeight, takeUnfolded } = useOpenRows(shown);
  const scroll = useScroll({ shown, layout, filterKey, isFollowing, onFollow });
  const { stay } = scroll;

  // An event that was just unfolded is scrolled into view.
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
      // A user who unfolds an event wants to read it.
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
      {shown.count === 0 && <p className="notice soft">No events to show.</p>}
      <ol aria-label="Events" style={listStyle(scroll.height, shown)}>
        {rowsOf(seen.from, seen.to, activeRow).map(drawn)}
      </ol>
    </div>
  );
}

/** The height of all rows, and the width of the longest sequence. */
function listStyle(height: number, shown: ShownEvents): CSSProperties {
  const digits = Math.max(3, String(shown.at(shown.count - 1)?.sequence ?? "").length);
  return { height, "--digits": digits } as CSSProperties;
}

/** The rows to draw, in order. The active row is always among them, because it has the focus. */
function rowsOf(from: number, to: number, activeRow: number): readonly number[] {
  const rows = Array.from({ length: to - from }, (_, index) => from + index);
  if (activeRow >= 0 && activeRow < from) return [activeRow, ...rows];
  return activeRow >= to ? [...rows, activeRow] : rows;
}
