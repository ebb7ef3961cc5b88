import { isHidden } from "./page-signals.ts";

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
 * @param giveUp may be called again when it is looked at again
 */
export function keepVigil(silenceMs: number, giveUp: () => void): Vigil {
  let waitingSince: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function look(): void {
    clearTimeout(timer);
    const silentMs = waitingSince === null ? 0 : performance.now() - waitingSince;
    if (silentMs < silenceMs) timer = setTimeout(look, silenceMs - silentMs);
    // The page says when it is seen again.
    else if (!isHidden()) giveUp();
  }

  look();
  return {
    onReading: (isReading) => (waitingSince = isReading ? performance.now() : null),
    look,
    end: () => clearTimeout(timer),
  };
}
