import type { Hint } from "./hints.ts";

/**
 * How long hints are gathered after some were sent, in milliseconds: a pause for each hint that was sent, up to a bound. So
 * a process that seldom commits hardly waits, and one that commits a lot sends no more often than the bound allows.
 */
const PAUSE_A_HINT_MS = 1;
const MOST_PAUSE_MS = 5;
/** How many runs may wait for a connection to notify on. */
const MOST_UNSENT = 10_000;

/** Tells of commits. */
export interface HintTeller {
  /** Takes in what a commit says: it is told at once if nothing was told a moment ago, and soon if something was. */
  tell(hints: readonly Hint[]): void;
  /** Tells what is left, and nothing after that. Resolves once it has been sent, or could not be. */
  close(): Promise<void>;
}

/** Whom a commit is told. */
export interface HintTellerOptions {
  /** Called for each run that is told of, in this process. */
  readonly ring: (hint: Hint) => void;
  /** Tells the other processes; one call at a time. `null` if there are none. A rejection is theirs to find out by looking. */
  readonly send: ((hints: Iterable<Hint>) => Promise<void>) | null;
}

/**
 * Gathers hints while some are under way, and a little longer under load, but loses none, unless more than `MOST_UNSENT`
 * wait, which others find by looking: a hint stands in `untold` until the telling that rings for it, then in `unsent` until
 * the sending that takes it, and neither is left to lie. A telling ends with a pause, and whatever was told meanwhile is
 * told at its end; a sending ends with a look at what has become unsent meanwhile. A later hint of a run stands for the
 * earlier ones.
 */
export function createHintTeller({ ring, send }: HintTellerOptions): HintTeller {
  let untold = new Map<string, Hint>();
  let untoldCount = 0;
  let unsent = new Map<string, Hint>();
  let isSending = false;
  let sent: Promise<void> = Promise.resolve();
  let pause: NodeJS.Timeout | null = null;
  let closed = false;

  function tellNow(): void {
    const pauseMs = Math.min(untoldCount * PAUSE_A_HINT_MS, MOST_PAUSE_MS);
    pause = setTimeout(() => {
      pause = null;
      if (untoldCount > 0) tellNow();
    }, pauseMs);
    pause.unref();
    handOver();
  }

  function handOver(): void {
    const hints = untold;
    untold = new Map();
    untoldCount = 0;
    if (unsent.size > MOST_UNSENT) unsent.clear();
    for (const hint of hints.values()) {
      ring(hint);
      if (send !== null) unsent.set(hint.runId, hint);
    }
    if (!isSending) sent = sendOn();
  }

  async function sendOn(): Promise<void> {
    isSending = true;
    while (send !== null && unsent.size > 0) {
      const hints = unsent;
      unsent = new Map();
      try {
        // More becomes unsent meanwhile, and this loop sees it: between its last look and `isSending` nothing can come.
        await send(hints.values());
      } catch {
        // The others find by looking what they were not told.
      }
    }
    isSending = false;
  }

  return {
    tell(hints) {
      if (closed || hints.length === 0) return;
      for (const hint of hints) untold.set(hint.runId, hint);
      untoldCount += hints.length;
      if (pause === null) tellNow();
    },
    close() {
      closed = true;
      if (pause !== null) clearTimeout(pause);
      handOver();
      return sent;
    },
  };
}
