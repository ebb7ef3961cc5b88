import { nameKey } from "@tm/run-events-core/store";
import type { RunChange } from "./run-changes.ts";

/**
 * The pause after a notification, in milliseconds: `PAUSE_A_CHANGE_MS` for each change in it, `MOST_PAUSE_MS` at most. Changes that
 * come meanwhile go out together, so a process that seldom commits hardly waits.
 */
const PAUSE_A_CHANGE_MS = 1;
const MOST_PAUSE_MS = 5;
/** The number of runs that may wait for the connection that sends. */
const MOST_UNSENT = 10_000;

/** Notifies this process and the others of commits. */
export interface ChangeSender {
  /** Adds the changes of a commit. They are passed on at once, or after a short pause if others just were. */
  add(changes: readonly RunChange[]): void;
  /** Sends what is left. Later changes are ignored. Resolves once the rest was sent, or sending it failed. */
  close(): Promise<void>;
}

/** Where changes go. */
export interface ChangeSenderOptions {
  /** Called for each change, to notify the subscriptions of this process. */
  readonly notify: (change: RunChange) => void;
  /** Notifies the other processes; one call at a time. `null` without others. After a rejection they find the commits by polling. */
  readonly send: ((changes: Iterable<RunChange>) => Promise<void>) | null;
}

/**
 * Gathers changes while others are being sent, and a little longer under load. It drops changes only when more than
 * `MOST_UNSENT` are unsent; the other processes then find those commits by polling.
 *
 * A change is in `waiting` until the subscriptions of this process are notified, then in `unsent` until it is sent. A pause follows
 * each notification; its end passes on the changes that came meanwhile. Each send is followed by another for the changes
 * that came during it. A later change of a run replaces the earlier ones.
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
      if (send !== null) unsent.set(nameKey(change), change);
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
        // The other processes find the commits by polling.
      }
    }
    isSending = false;
  }

  return {
    add(changes) {
      if (closed || changes.length === 0) return;
      for (const change of changes) waiting.set(nameKey(change), change);
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
