import {
  createPoller,
  createSeenHeads,
  createNotifier,
  isOwnerName,
  type OnNotification,
  type OwnedRun,
  ownerName,
  type Poller,
  type RunPosition,
  type StoreReports,
  type Subject,
} from "@tm/run-events-core/store";
import {
  changeOf,
  encodeChanges,
  type MovedRun,
  ownerMark,
  parseChanges,
  type RunChange,
} from "./run-changes.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import type { Query } from "./query.ts";
import { selectPositions } from "./sql/positions.ts";
import type { Statements } from "./sql/statements.ts";
import { createChangeSender, type ChangeSender } from "./send-changes.ts";

/** How often to poll for commits without a notification, while LISTEN is not proven and while it is, in milliseconds. */
const FAST_POLL_MS = 50;
export const SLOW_POLL_MS = 1_000;
/** How long to poll for the commit of a caller's transaction, in milliseconds. */
const JOINED_MS = 30_000;

/** What sends and finds notifications. */
export interface NotificationsOptions {
  readonly query: Query;
  readonly sql: Pick<Statements, "selectPositions">;
  /** `null` if no other process can reach the database: then nothing is sent or received. */
  readonly listen: ((on: Pick<ListenerOptions, "onNotification" | "onProven">) => Listener) | null;
  readonly reports: StoreReports;
}

interface Joined extends MovedRun {
  readonly since: number;
}

/**
 * Notifies the subscriptions of one store, from three sources: the commits of this process, the notifications of other
 * processes, and polls. A commit of this process also notifies the other processes. A poll reads the positions of all
 * subscribed runs in one query, since notifications can be lost. While LISTEN is not proven, it also notifies the subscriptions to
 * owners, each second. Each source is compared with what the subscriptions have been
 * notified of, so that one commit mostly notifies once.
 * @see clauses S13 to S15 in `STORE.md`
 */
export class Notifications {
  readonly #query: Query;
  readonly #sql: Pick<Statements, "selectPositions">;
  readonly #notifier = createNotifier();
  readonly #seen = createSeenHeads();
  readonly #joined = new Map<string, Joined>();
  readonly #listener: Listener | null;
  readonly #sender: ChangeSender;
  readonly #poller: Poller;
  readonly #reports: StoreReports;
  /** Names this process in its notifications: it gets them, too, and has notified its own subscriptions before. */
  readonly #name = crypto.randomUUID().slice(0, 8);
  /** The runs whose last commits a poll has found, and no notification yet. Only while something observes the store. */
  readonly #late = new Set<string>();
  /** When the subscriptions to owners were last notified by a poll. */
  #ownersAt = Number.NEGATIVE_INFINITY;

  constructor({ query, sql, listen, reports }: NotificationsOptions) {
    this.#query = query;
    this.#sql = sql;
    this.#reports = reports;
    const listener =
      listen?.({
        onNotification: (payload) => this.#receive(payload),
        onProven: (isProven) => this.#onProven(isProven),
      }) ?? null;
    this.#listener = listener;
    this.#sender = createChangeSender({
      notify: (change) => this.#notify(change),
      send: listener && ((changes) => send(listener, encodeChanges(this.#name, changes))),
    });
    this.#poller = createPoller({
      poll: () => this.#poll(),
      isNeeded: () => this.#isPollNeeded(),
      pauseMs: (failed) => (failed ? SLOW_POLL_MS : this.#pauseMs()),
      mostPauseMs: SLOW_POLL_MS,
    });
  }

  /**
   * Adds a subscription, and polls from now on.
   * @returns a function that ends the subscription; it may be called twice
   */
  add(subject: Subject, onNotification: OnNotification): () => void {
    const name = typeof subject === "string" ? subject : ownerName(ownerMark(subject.ownerId));
    const remove = this.#notifier.add(name, onNotification);
    this.#listener?.start();
    this.#poller.start(FAST_POLL_MS);
    return () => {
      remove();
      if (!this.#notifier.has(name)) this.#seen.forget(name);
    };
  }

  /** Notifies of a commit of this store that appended to runs, made a run or removed one. */
  committed(runs: readonly (MovedRun | OwnedRun)[]): void {
    this.#sender.add(runs.map(changeOf));
  }

  /** Notifies of an append once the caller's transaction, which contains it, has committed. */
  joined(run: MovedRun): void {
    this.#joined.set(run.runId, { ...run, since: performance.now() });
    this.#poller.hurry(FAST_POLL_MS);
  }

  /** Whether notifications are known to arrive. */
  isProven(): boolean {
    return this.#listener?.isProven() ?? false;
  }

  /** Ends all subscriptions and polls. Sends the notifications that are left, for `SLOW_POLL_MS` at most. */
  async close(): Promise<void> {
    this.#notifier.clear();
    this.#joined.clear();
    this.#late.clear();
    this.#poller.stop();
    // By then the other processes have polled.
    await atMost(SLOW_POLL_MS, this.#sender.close());
    this.#listener?.close();
    this.#reports.closed();
  }

  #receive(payload: string): void {
    const { sender, changes } = parseChanges(payload);
    if (sender !== this.#name) changes.forEach((change) => this.#notify(change));
  }

  #notify({ runId, owner, position }: RunChange): void {
    this.#late.delete(runId);
    this.#notifier.notify(ownerName(owner), runId);
    if (!this.#notifier.has(runId)) return;
    // A change without a position means that a run was made or removed, maybe both, so no position can be compared.
    if (position === null || this.#seen.see(runId, position)) this.#notifier.notify(runId, runId);
  }

  #onProven(isProven: boolean): void {
    this.#reports.connected(isProven);
    // Notifications that were sent while nothing listened are lost.
    if (isProven) this.#notifier.notifyAll();
    else this.#poller.hurry(FAST_POLL_MS);
  }

  async #poll(): Promise<void> {
    // They had the time between two polls.
    const missed = this.#late.size;
    this.#late.clear();
    if (missed > 0)
      this.#reports.report?.({ type: "notification_missed", foundBy: "poll", runs: missed });
    const names = [...this.#notifier.names()];
    if (!this.isProven()) this.#notifyOwners(names);
    const followed = names.filter((name) => !isOwnerName(name));
    const runIds = [...new Set([...followed, ...this.#joined.keys()])];
    const positions = await selectPositions(this.#query, this.#sql, runIds);
    const found = new Map(positions.map((position) => [position.runId, position]));
    // Subscriptions may have been added, stopped and notified since the query began.
    for (const runId of runIds) {
      const head = found.get(runId) ?? null;
      this.#find(runId, head);
      this.#settleJoined(runId, head);
    }
  }

  #find(runId: string, head: RunPosition | null): void {
    if (!this.#notifier.has(runId)) return;
    const isFirst = !this.#seen.has(runId);
    if (!this.#seen.see(runId, head)) return;
    this.#notifier.notify(runId, runId);
    if (!isFirst && this.isProven() && this.#reports.report !== null) this.#late.add(runId);
  }

  /** No query says whose runs other processes have changed. */
  #notifyOwners(names: readonly string[]): void {
    const now = performance.now();
    if (now - this.#ownersAt < SLOW_POLL_MS) return;
    this.#ownersAt = now;
    for (const name of names) if (isOwnerName(name)) this.#notifier.notify(name, null);
  }

  #settleJoined(runId: string, head: RunPosition | null): void {
    const waiting = this.#joined.get(runId);
    if (waiting === undefined) return;
    const committed =
      head?.ordinal === waiting.ordinal && head.lastSequence >= waiting.lastSequence;
    if (committed && head !== null)
      this.#sender.add([changeOf({ ...head, ownerId: waiting.ownerId })]);
    if (committed || performance.now() - waiting.since > JOINED_MS) this.#joined.delete(runId);
  }

  #pauseMs(): number {
    const now = performance.now();
    const isYoung = [...this.#joined.values()].some(({ since }) => now - since < SLOW_POLL_MS);
    const isSlow = !isYoung && (this.#listener === null || this.#listener.isProven());
    return isSlow ? SLOW_POLL_MS : FAST_POLL_MS;
  }

  #isPollNeeded(): boolean {
    if (this.#joined.size > 0) return true;
    // Without other processes, this one knows all commits outside of callers' transactions.
    return this.#listener !== null && this.#notifier.names().next().done !== true;
  }
}

function send(listener: Listener, payloads: readonly string[]): Promise<void> {
  listener.start();
  return listener.send(payloads);
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
