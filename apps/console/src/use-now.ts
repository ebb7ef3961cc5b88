import { useEffect, useState } from "react";

/**
 * The time, again every so often while the component is shown.
 * @param everyMs in milliseconds; `null` to stand still, at the time of the first look
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
