import { useCallback, useEffect, useRef, useState } from "react";

/** Whether the newest event is kept in view. */
export interface Following {
  readonly isFollowing: boolean;
  /** How many events have come since following was paused. */
  readonly unseenCount: number;
  /** Follows or pauses. Stays the same function. */
  readonly onFollow: (isFollowing: boolean) => void;
}

/** Starts to follow a list of so many events. */
export function useFollowing(count: number): Following {
  // How many events there were when following was paused; `null` while it goes on.
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
