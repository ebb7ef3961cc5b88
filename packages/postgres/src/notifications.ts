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

/** How often to look for what no notification has said, while LISTEN is not proven and while it is, in milliseconds. */
const FAST_POLL_MS = 50;
export const SLOW_POLL_MS = 1_000;
/** How long an append into a caller's transaction is looked for, in milliseconds. */
const JOINED_MS = 30_000;

/** What notifications come from. */
export interface NotificationsOptions {
  readonly query: Query;
  readonly sql: Pick<Statements, "selectPositions">;
  /** `null` where no other process can be: then nothing is notified or listened to. */
  readonly listen: ((on: Pick<ListenerOptions, "onNotification" | "onProven">) => Listener) | null;
}

interface Joined extends RunPosition {
  readonly since: number;
}

/**
 * Notifies the watches of one store. A commit of this process notifies them and tells the others; what others tell notifies them here;
 * and every watched run is looked at now and then in one query, since what is told can be lost. What all three say is compared with what
 * the watches have been notified of, so that one commit notifies once, mostly.
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

  /** Adds a watch, and looks from now on. @returns what ends it; may be called twice */
  add(runId: string, wake: () => void): () => void {
    const remove = this.#watchers.add(runId, wake);
    this.#listener?.start();
    this.#poller.start(FAST_POLL_MS);
    return () => {
      remove();
      if (!this.#watchers.has(runId)) this.#seen.forget(runId);
    };
  }

  /** Tells of a commit of this store that moved runs, made one or removed one. */
  tell(hints: readonly Hint[]): void {
    this.#teller.tell(hints);
  }

  /** Tells of an append once the caller's transaction, which it is a part of, has committed. */
  joined(run: RunPosition): void {
    this.#joined.set(run.runId, { ...run, since: performance.now() });
    this.#poller.hurry(FAST_POLL_MS);
  }

  /** Whether notifications are known to arrive. */
  isProven(): boolean {
    return this.#listener?.isProven() ?? false;
  }

  /** Ends all watches and looks, and tells others what is left to tell, unless that takes long. */
  async close(): Promise<void> {
    this.#watchers.clear();
    this.#joined.clear();
    this.#poller.stop();
    // By then the others have looked.
    await atMost(SLOW_POLL_MS, this.#teller.close());
    this.#listener?.close();
  }

  #notify(hint: Hint): void {
    const { runId } = hint;
    if (!this.#watchers.has(runId)) return;
    // A hint without a head tells of a run that came or went, maybe both: it is not known what to compare it with.
    if (!("ordinal" in hint) || this.#seen.see(runId, hint)) this.#watchers.ring(runId);
  }

  #onProven(isProven: boolean): void {
    // What was told while nothing listened is lost.
    if (isProven) this.#watchers.ringAll();
    else this.#poller.hurry(FAST_POLL_MS);
  }

  async #look(): Promise<void> {
    const runIds = [...new Set([...this.#watchers.runIds(), ...this.#joined.keys()])];
    const positions = await selectPositions(this.#query, this.#sql, runIds);
    const found = new Map(positions.map((position) => [position.runId, position]));
    // Watches may have come, gone and been notified since these were asked for.
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
    // Where no other process can be, this one knows all that is committed outside of callers' transactions.
    return this.#listener !== null && this.#watchers.runIds().next().done !== true;
  }
}

function send(listener: Listener, hints: Iterable<Hint>): Promise<void> {
  listener.start();
  return listener.send(encodeHints(hints));
}

/** Waits for the promise, and for no longer than `ms`: the timer is a deadline and ends with the promise. It must not reject. */
function atMost(ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
