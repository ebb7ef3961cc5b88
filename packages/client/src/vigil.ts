import type { PageSignals } from "./page-signals.ts";

/** Gives up a connection on which nothing has come for too long. */
export interface Vigil {
  /** Bytes are waited for from now on, or have come. */
  onReading(isReading: boolean): void;
  /** Looks at once, for instance because the page is seen again. */
  look(): void;
  /** Ends it. Idempotent. */
  end(): void;
}

/**
 * Watches a connection. It sleeps while the page is hidden, where timers come late and reading may be held back, and while
 * nobody waits for bytes.
 * @param silenceMs how long nothing may come while bytes are waited for
 * @param giveUp called at most once
 */
export function keepVigil(silenceMs: number, page: PageSignals, giveUp: () => void): Vigil {
  let waitingSince: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  function arm(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(look, ms);
  }

  function look(): void {
    if (isOver) return;
    const silentMs = waitingSince === null ? 0 : performance.now() - waitingSince;
    if (silentMs < silenceMs) return arm(silenceMs - silentMs);
    // The page says when it is seen again.
    if (page.isHidden()) return clearTimeout(timer);
    end();
    giveUp();
  }

  function end(): void {
    isOver = true;
    clearTimeout(timer);
  }

  arm(silenceMs);
  return {
    onReading: (isReading) => (waitingSince = isReading ? performance.now() : null),
    look,
    end,
  };
}
