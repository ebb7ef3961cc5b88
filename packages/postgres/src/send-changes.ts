import type { RunChange } from "./run-changes.ts";

/**
 * How long changes are gathered after some were sent, in milliseconds: a pause for each change that was sent, up to a bound. So
 * a process that seldom commits hardly waits, and one that commits a lot sends no more often than the bound allows.
 */
const PAUSE_A_CHANGE_MS = 1;
const MOST_PAUSE_MS = 5;
/** How many runs may wait for a connection to notify on. */
const MOST_UNSENT = 10_000;

/** Notifies of commits. */
export interface ChangeSender {
  /** Takes the changes of a commit. They are sent at once, or after a short pause if others were just sent. */
  tell(changes: readonly RunChange[]): void;
  /** Sends what is left, and nothing after that. Resolves once it has been sent, or could not be. */
  close(): Promise<void>;
}

/** Where changes are sent. */
export interface ChangeSenderOptions {
  /** Called for each change, for the subscriptions of this process. */
  readonly notify: (change: RunChange) => void;
  /** Notifies the other processes; one call at a time. `null` if there are none. After a rejection they find the commits by looking. */
  readonly send: ((changes: Iterable<RunChange>) => Promise<void>) | null;
}

/**
 * Gathers changes while some are being sent, and a little longer under load. It loses none, unless more than `MOST_UNSENT` wait;
 * then others find the commits by looking. A change is in `waiting` until the subscriptions of this process are notified, then in `unsent`
 * until it is sent. A pause follows each notification, and changes that came meanwhile are passed on at its end. After each send, the
 * changes that came meanwhile are sent. A later change of a run replaces the earlier ones.
 */
export function createChangeSender({ notify, send }: ChangeSenderOptions): ChangeSender {
  let waiting = new Map<string, RunChange>();
  let waitingCount = 0;
  let unsent = new Map<string, RunChange>();
  let isSending = false;
  let sent: Promise<void> = Promise.resolve();
  let pause: NodeJS.Timeout | null = null;
  let closed = false;

  function sendNow(): void {
    const pauseMs = Math.min(waitingCount * PAUSE_A_CHANGE_MS, MOST_PAUSE_MS);
    pause = setTimeout(() => {
      pause = null;
      if (waitingCount > 0) sendNow();
    }, pauseMs);
    pause.unref();
    handOver();
  }

  function handOver(): void {
    const changes = waiting;
    waiting = new Map();
    waitingCount = 0;
    if (unsent.size > MOST_UNSENT) unsent.clear();
    for (const change of changes.values()) {
      notify(change);
      if (send !== null) unsent.set(change.runId, change);
    }
    if (!isSending) sent = sendOn();
  }

  async function sendOn(): Promise<void> {
    isSending = true;
    while (send !== null && unsent.size > 0) {
      const changes = unsent;
      unsent = new Map();
      try {
        // The loop sees changes that come meanwhile. Between its last check and `isSending = false` none can come.
        await send(changes.values());
      } catch {
        // The other processes find the commits by looking.
      }
    }
    isSending = false;
  }

  return {
    tell(changes) {
      if (closed || changes.length === 0) return;
      for (const change of changes) waiting.set(change.runId, change);
      waitingCount += changes.length;
      if (pause === null) sendNow();
    },
    close() {
      closed = true;
      if (pause !== null) clearTimeout(pause);
      handOver();
      return sent;
    },
  };
}
