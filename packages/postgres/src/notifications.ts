import {
  createPoller,
  createSeenHeads,
  createWatchers,
  type Poller,
  type RunPosition,
} from "@tm/run-events-core/store";
import { encodeHints, type Hint, parseHints } from "./hints.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import type { Query } from "./query.ts";
import { selectPositions } from "./sql/positions.ts";
import type { Statements } from "./sql/statements.ts";
import { createHintTeller, type HintTeller } from "./tell-hints.ts";

/** How often to look for commits without a notification, while LISTEN is not proven and while it is, in milliseconds. */
const FAST_POLL_MS = 50;
export const SLOW_POLL_MS = 1_000;
/** How long an append into a caller's transaction is looked for, in milliseconds. */
const JOINED_MS = 30_000;

/** What sends and finds notifications. */
export interface NotificationsOptions {
  readonly query: Query;
  readonly sql: Pick<Statements, "selectPositions">;
  /** `null` if there can be no other process: then nothing is sent or received. */
  readonly listen: ((on: Pick<ListenerOptions, "onNotification" | "onProven">) => Listener) | null;
}

interface Joined extends RunPosition {
  readonly since: number;
}

/**
 * Notifies the watches of one store, from three sources. A commit of this process notifies them, and notifies other processes. Other
 * processes' notifications do. So do looks at all watched runs in one query, since notifications can be lost. Each is compared with
 * what the watches have been notified of, so that one commit mostly notifies once.
 * @see S13-S15
 */
export class Notifications {
  readonly #query: Query;
  readonly #sql: Pick<Statements, "selectPositions">;
  readonly #watchers = createWatchers();
  readonly #seen = createSeenHeads();
  readonly #joined = new Map<string, Joined>();
  readonly #listener: Listener | null;
  readonly #teller: HintTeller;
  readonly #poller: Poller;

  constructor({ query, sql, listen }: NotificationsOptions) {
    this.#query = query;
    this.#sql = sql;
    const listener =
      listen?.({
        onNotification: (payload) => parseHints(payload).forEach((hint) => this.#notify(hint)),
        onProven: (isProven) => this.#onProven(isProven),
      }) ?? null;
    this.#listener = listener;
    this.#teller = createHintTeller({
      ring: (hint) => this.#notify(hint),
      send: listener && ((hints) => send(listener, hints)),
    });
    this.#poller = createPoller({
      look: () => this.#look(),
      isNeeded: () => this.#isLookNeeded(),
      pauseMs: (failed) => (failed ? SLOW_POLL_MS : this.#pauseMs()),
      mostPauseMs: SLOW_POLL_MS,
    });
  }

  /** Adds a watch, and looks from now on. @returns a function that ends the watch; it may be called twice */
  add(runId: string, wake: () => void): () => void {
    const remove = this.#watchers.add(runId, wake);
    this.#listener?.start();
    this.#poller.start(FAST_POLL_MS);
    return () => {
      remove();
      if (!this.#watchers.has(runId)) this.#seen.forget(runId);
    };
  }

  /** Notifies of a commit of this store that moved runs, made a run or removed one. */
  tell(hints: readonly Hint[]): void {
    this.#teller.tell(hints);
  }

  /** Notifies of an append once the caller's transaction, which contains it, has committed. */
  joined(run: RunPosition): void {
    this.#joined.set(run.runId, { ...run, since: performance.now() });
    this.#poller.hurry(FAST_POLL_MS);
  }

  /** Whether notifications are known to arrive. */
  isProven(): boolean {
    return this.#listener?.isProven() ?? false;
  }

  /** Ends all watches and looks, and sends the notifications that are left, unless that takes long. */
  async close(): Promise<void> {
    this.#watchers.clear();
    this.#joined.clear();
    this.#poller.stop();
    // By then other processes have looked.
    await atMost(SLOW_POLL_MS, this.#teller.close());
    this.#listener?.close();
  }

  #notify(hint: Hint): void {
    const { runId } = hint;
    if (!this.#watchers.has(runId)) return;
    // A hint without a head says that a run was made or removed, maybe both, so there is nothing to compare it with.
    if (!("ordinal" in hint) || this.#seen.see(runId, hint)) this.#watchers.ring(runId);
  }

  #onProven(isProven: boolean): void {
    // Notifications that were sent while nothing listened are lost.
    if (isProven) this.#watchers.ringAll();
    else this.#poller.hurry(FAST_POLL_MS);
  }

  async #look(): Promise<void> {
    const runIds = [...new Set([...this.#watchers.runIds(), ...this.#joined.keys()])];
    const positions = await selectPositions(this.#query, this.#sql, runIds);
    const found = new Map(positions.map((position) => [position.runId, position]));
    // Watches may have been added, stopped and notified since the query began.
    for (const runId of runIds) {
      const head = found.get(runId) ?? null;
      if (this.#watchers.has(runId) && this.#seen.see(runId, head)) this.#watchers.ring(runId);
      this.#settleJoined(runId, head);
    }
  }

  #settleJoined(runId: string, head: RunPosition | null): void {
    const waiting = this.#joined.get(runId);
    if (waiting === undefined) return;
    const committed =
      head?.ordinal === waiting.ordinal && head.lastSequence >= waiting.lastSequence;
    if (committed && head !== null) this.#teller.tell([head]);
    if (committed || performance.now() - waiting.since > JOINED_MS) this.#joined.delete(runId);
  }

  #pauseMs(): number {
    const now = performance.now();
    const isYoung = [...this.#joined.values()].some(({ since }) => now - since < SLOW_POLL_MS);
    const isSlow = !isYoung && (this.#listener === null || this.#listener.isProven());
    return isSlow ? SLOW_POLL_MS : FAST_POLL_MS;
  }

  #isLookNeeded(): boolean {
    if (this.#joined.size > 0) return true;
    // If there can be no other process, this one knows all commits outside of callers' transactions.
    return this.#listener !== null && this.#watchers.runIds().next().done !== true;
  }
}

function send(listener: Listener, hints: Iterable<Hint>): Promise<void> {
  listener.start();
  return listener.send(encodeHints(hints));
}

/** Waits for the promise, for `ms` at most. The timer ends with the promise. The promise must not reject. */
function atMost(ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
