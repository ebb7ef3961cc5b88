import type { RunEvent } from "@tm/run-events-core";
import {
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useCallback,
  useEffectEvent,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { EventRow, rowId } from "./event-row.tsx";
import { planMove } from "./plan-move.ts";
import { offsetOf, planLayout, planReveal, planWindow, ROW_HEIGHT, rowAt } from "./row-layout.ts";
import type { ShownEvents } from "./shown-events.ts";
import { hasModifier } from "./use-shortcuts.ts";

/** How many rows are drawn on either side of those that are seen. */
const SPARE_ROWS = 10;
/** How near to its end the list counts as scrolled to it, in CSS pixels. */
const END_PX = 4;

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
  const scroller = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [viewHeight, setViewHeight] = useState(0);
  /** The sequences of the events that are unfolded, with the heights of their payloads. */
  const [open, setOpen] = useState<ReadonlyMap<number, number>>(new Map());
  const [active, setActive] = useState<number | null>(null);
  const wanted = useRef<number | null>(null);
  const lastTop = useRef(0);
  const topSequence = useRef(1);
  /** What was unfolded just now, to be seen whole once its height is known. */
  const unfolded = useRef<number | null>(null);

  const tall = [...open].flatMap(([sequence, extra]) => {
    const row = shown.rowOf(sequence);
    return shown.at(row)?.sequence === sequence ? [{ row, extra }] : [];
  });
  const layout = planLayout(shown.count, tall);
  const height = offsetOf(layout, shown.count);
  const top = isFollowing ? Math.max(0, height - viewHeight) : scrollTop;
  const seen = planWindow(layout, top, viewHeight, SPARE_ROWS);
  const activeRow = activeIn(shown, active) ?? (shown.count === 0 ? -1 : rowAt(layout, top));

  useLayoutEffect(() => {
    const { current } = scroller;
    if (current === null) return;
    const observer = new ResizeObserver(() => setViewHeight(current.clientHeight));
    observer.observe(current);
    setViewHeight(current.clientHeight);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const { current } = scroller;
    if (current === null || !isFollowing) return;
    current.scrollTop = height;
    lastTop.current = current.scrollTop;
  }, [isFollowing, height, viewHeight]);

  const keepPlace = useEffectEvent(() => {
    // The event that stood at the top stands there again, or the one behind it.
    if (!isFollowing) scrollTo(offsetOf(layout, shown.rowOf(topSequence.current)));
  });
  useLayoutEffect(() => keepPlace(), [filterKey]);

  useLayoutEffect(() => {
    const sequence = unfolded.current;
    if (sequence === null || (open.get(sequence) ?? 0) === 0) return;
    unfolded.current = null;
    scrollTo(planReveal(layout, shown.rowOf(sequence), top, viewHeight));
  });

  // Not a passive effect: one that is late belongs to the rows before a key was pressed, among which there is none to get the focus.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const sequence = wanted.current;
    wanted.current = null;
    document.getElementById(rowId(sequence))?.focus({ preventScroll: true });
  });

  function scrollTo(offset: number): void {
    if (scroller.current === null) return;
    scroller.current.scrollTop = offset;
    lastTop.current = scroller.current.scrollTop;
    setScrollTop(scroller.current.scrollTop);
  }

  function activate(row: number): void {
    const sequence = shown.at(row)?.sequence;
    if (sequence === undefined) return;
    onFollow(false);
    setActive(sequence);
    scrollTo(planReveal(layout, row, top, viewHeight));
    const button = document.getElementById(rowId(sequence));
    // A row that is not drawn yet is once what has changed here is.
    if (button === null) wanted.current = sequence;
    else button.focus({ preventScroll: true });
  }

  useImperativeHandle(ref, () => ({
    show: (sequence) => activate(Math.min(shown.count - 1, shown.rowOf(sequence))),
    focus: () => activate(activeRow),
  }));

  const onToggle = useCallback(
    (sequence: number): void => {
      // Who unfolds wants to read.
      onFollow(false);
      setScrollTop(scroller.current?.scrollTop ?? 0);
      setActive(sequence);
      unfolded.current = sequence;
      setOpen((before) => {
        const next = new Map(before);
        if (!next.delete(sequence)) next.set(sequence, 0);
        return next;
      });
    },
    [onFollow],
  );
  const onHeight = useCallback((sequence: number, extra: number): void => {
    setOpen((before) =>
      before.get(sequence) === extra ? before : new Map(before).set(sequence, extra),
    );
  }, []);

  function onScroll(): void {
    const { current } = scroller;
    if (current === null) return;
    const { scrollTop: now, scrollHeight, clientHeight } = current;
    const isAtEnd = scrollHeight - now - clientHeight <= END_PX;
    if (isFollowing && now < lastTop.current && !isAtEnd) onFollow(false);
    if (!isFollowing && now > lastTop.current && isAtEnd) onFollow(true);
    lastTop.current = now;
    topSequence.current = shown.at(rowAt(layout, now))?.sequence ?? 1;
    setScrollTop(now);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (hasModifier(event) || shown.count === 0) return;
    // A payload is scrolled by these keys.
    if (event.target instanceof HTMLElement && event.target.tagName === "PRE") return;
    const page = Math.max(1, Math.floor(viewHeight / ROW_HEIGHT) - 1);
    const to = planMove(event.key, activeRow, shown.count, page);
    if (to === null) return;
    event.preventDefault();
    activate(to);
  }

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
        isOpen={open.has(event.sequence)}
        isActive={row === activeRow}
        onToggle={onToggle}
        onHeight={onHeight}
      />
    );
  }

  return (
    <div
      ref={scroller}
      className="timeline"
      onScroll={onScroll}
      onWheel={({ deltaY }) => deltaY < 0 && lastTop.current > 0 && onFollow(false)}
      onKeyDown={onKeyDown}
    >
      {shown.count === 0 && <p className="notice soft">There is no event to show.</p>}
      <ol aria-label="Events" style={listStyle(height, shown)}>
        {rowsOf(seen.from, seen.to, activeRow).map(drawn)}
      </ol>
    </div>
  );
}

function activeIn(shown: ShownEvents, active: number | null): number | null {
  if (active === null) return null;
  const row = shown.rowOf(active);
  const event: RunEvent | undefined = shown.at(row);
  return event?.sequence === active ? row : null;
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
