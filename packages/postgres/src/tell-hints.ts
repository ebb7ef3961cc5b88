import type { Hint } from "./hints.ts";

/**
 * How long hints are gathered after some were sent, in milliseconds: a pause for each hint that was sent, up to a bound. So
 * a process that seldom commits hardly waits, and one that commits a lot sends no more often than the bound allows.
 */
const PAUSE_A_HINT_MS = 1;
const MOST_PAUSE_MS = 5;
/** How many runs may wait for a connection to notify on. */
const MOST_UNSENT = 10_000;

/** Notifies of commits. */
export interface HintTeller {
  /** Takes the hints of a commit. They are sent at once, or after a short pause if others were just sent. */
  tell(hints: readonly Hint[]): void;
  /** Sends what is left, and nothing after that. Resolves once it has been sent, or could not be. */
  close(): Promise<void>;
}

/** Where hints are sent. */
export interface HintTellerOptions {
  /** Called for each hint, for the watches of this process. */
  readonly ring: (hint: Hint) => void;
  /** Notifies the other processes; one call at a time. `null` if there are none. After a rejection they find the commits by looking. */
  readonly send: ((hints: Iterable<Hint>) => Promise<void>) | null;
}

/**
 * Gathers hints while some are being sent, and a little longer under load. It loses none, unless more than `MOST_UNSENT` wait;
 * then others find the commits by looking. A hint is in `untold` until the watches of this process are notified, then in `unsent`
 * until it is sent. A pause follows each notification, and hints that came meanwhile are passed on at its end. After each send, the
 * hints that came meanwhile are sent. A later hint of a run replaces the earlier ones.
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
        // The loop sees hints that come meanwhile. Between its last check and `isSending = false` none can come.
        await send(hints.values());
      } catch {
        // The other processes find the commits by looking.
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
