import {
  type RefObject,
  type WheelEvent,
  useCallback,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { offsetOf, planReveal, type RowLayout, rowAt } from "./row-layout.ts";
import type { ShownEvents } from "./shown-events.ts";

/** A list that is scrolled this near to its end counts as at its end, in CSS pixels. */
const END_PX = 4;

/** Options of {@link useScroll}. */
export interface ScrollOptions {
  readonly shown: ShownEvents;
  readonly layout: RowLayout;
  /** Changes when other events are shown: the place in the list is kept. */
  readonly filterKey: string;
  /** Whether the list stays at its end. */
  readonly isFollowing: boolean;
  /** Called when the user has scrolled away from the end, or back to it. */
  readonly onFollow: (isFollowing: boolean) => void;
}

/** A list's scroll position, in CSS pixels, and functions that move it. */
export interface Scroll {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly top: number;
  readonly viewHeight: number;
  /** The height of all rows. */
  readonly height: number;
  /** Scrolls just far enough to show a row. */
  readonly reveal: (row: number) => void;
  /** Keeps the list where it is now, once it no longer follows. Stays the same function. */
  readonly stay: () => void;
  readonly onScroll: () => void;
  readonly onWheel: (event: WheelEvent) => void;
}

/** Keeps the list at its end while it follows, and at the event at its top otherwise. */
export function useScroll(options: ScrollOptions): Scroll {
  const { shown, layout, filterKey, isFollowing, onFollow } = options;
  const scroller = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const viewHeight = useViewHeight(scroller);
  const lastTop = useRef(0);
  const topSequence = useRef(1);
  const height = offsetOf(layout, shown.count);
  const top = isFollowing ? Math.max(0, height - viewHeight) : scrollTop;

  useLayoutEffect(() => {
    const { current } = scroller;
    if (current === null || !isFollowing) return;
    current.scrollTop = height;
    lastTop.current = current.scrollTop;
  }, [isFollowing, height, viewHeight]);

  const keepPlace = useEffectEvent(() => {
    // The event that was at the top stays there, or else the next event that is shown.
    if (!isFollowing) scrollTo(offsetOf(layout, shown.rowOf(topSequence.current)));
  });
  useLayoutEffect(() => keepPlace(), [filterKey]);

  const stay = useCallback(() => setScrollTop(scroller.current?.scrollTop ?? 0), []);

  function scrollTo(offset: number): void {
    if (scroller.current === null) return;
    scroller.current.scrollTop = offset;
    lastTop.current = scroller.current.scrollTop;
    setScrollTop(scroller.current.scrollTop);
  }

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

  return {
    scroller,
    top,
    viewHeight,
    height,
    reveal: (row) => scrollTo(planReveal(layout, row, top, viewHeight)),
    stay,
    onScroll,
    onWheel({ deltaY }) {
      if (deltaY < 0 && lastTop.current > 0) onFollow(false);
    },
  };
}

function useViewHeight(scroller: RefObject<HTMLDivElement | null>): number {
  const [viewHeight, setViewHeight] = useState(0);
  useLayoutEffect(() => {
    const { current } = scroller;
    if (current === null) return;
    const observer = new ResizeObserver(() => setViewHeight(current.clientHeight));
    observer.observe(current);
    setViewHeight(current.clientHeight);
    return () => observer.disconnect();
  }, [scroller]);
  return viewHeight;
}
