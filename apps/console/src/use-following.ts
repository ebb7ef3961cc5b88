import { useCallback, useEffect, useRef, useState } from "react";

/** Whether the newest event is kept in view. */
export interface Following {
  readonly isFollowing: boolean;
  /** The number of events that have come since following was paused. */
  readonly unseenCount: number;
  /** Follows or pauses. Stays the same function. */
  readonly onFollow: (isFollowing: boolean) => void;
}

/** Follows a list of `count` events, until the user pauses. */
export function useFollowing(count: number): Following {
  // The number of events when following was paused; `null` while it continues.
  const [pausedAt, setPausedAt] = useState<number | null>(null);
  const latest = useRef(0);
  useEffect(() => {
    latest.current = count;
  }, [count]);
  const onFollow = useCallback((next: boolean) => {
    setPausedAt((before) => (next ? null : (before ?? latest.current)));
  }, []);
  return {
    isFollowing: pausedAt === null,
    unseenCount: pausedAt === null ? 0 : count - pausedAt,
    onFollow,
  };
}
