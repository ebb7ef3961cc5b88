import { useEffect, useState } from "react";

/**
 * The current time, updated at an interval while the component is shown.
 * @param everyMs the interval, in milliseconds; with `null` the time of the first render stays
 */
export function useNow(everyMs: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === null) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
