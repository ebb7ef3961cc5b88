import {
  closedSubscription,
  createNotifier,
  createPoller,
  type createStoreReports,
  nameKey,
  ownerName,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import {
  encodeChanges,
  type NotifiedChange,
  parseChanges,
  type Position,
  type RunChange,
} from "./run-changes.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import type { Query } from "./query.ts";
import { selectPositions } from "./sql/positions.ts";
import type { Statements } from "./statements.ts";
import { createChangeSender, type ChangeSender } from "./send-changes.ts";

/** The intervals of polls for commits without a notification, while LISTEN is not proven and while it is, in milliseconds. */
const FAST_POLL_MS = 50;
export const SLOW_POLL_MS = 1_000;
/** The time to poll for the commit of a caller's transaction, in milliseconds. */
const JOINED_MS = 30_000;

type StoreReports = ReturnType<typeof createStoreReports>;
type Poller = ReturnType<typeof createPoller>;

/** The dependencies that send and find notifications. */
export interface NotificationsOptions {
  readonly query: Query;
  readonly sql: Pick<Statements, "selectPositions">;
  /** Notifies all listeners. After a rejection they find the commits by polling. */
  readonly send: (payloads: readonly string[]) => Promise<unknown>;
  /** `null` if no other process can reach the database: then nothing is sent or received. */
  readonly listen: ListenerOptions["listen"] | null;
  readonly reports: StoreReports;
}

interface Joined extends Position {
  readonly since: number;
}

/**
 * Notifies the subscriptions of one store, from three sources: the commits of this process, the notifications of other processes, and polls. A
 * commit of this process also notifies the other processes. A poll reads the positions of all subscribed runs in one query, since notifications
 * can be lost. While LISTEN is not proven, it also notifies the subscriptions to owners each second. Each source is compared with what the
 * subscriptions have been notified of, so that one commit mostly notifies once.
 * @see clause S13 in `STORE.md`
 */
export class Notifications {
  readonly #query: Query;
  readonly #sql: Pick<Statements, "selectPositions">;
  readonly #notifier = createNotifier();
  /** The owners with subscriptions, by the names that notifications carry, and how many subscriptions each has. */
  readonly #owners = new Map<string, Map<string, number>>();
  readonly #joined = new Map<string, Joined>();
  readonly #listener: Listener | null;
  readonly #sender: ChangeSender;
  readonly #poller: Poller;
  readonly #reports: StoreReports;
  /** The runs whose last commits a poll has found, and no notification yet. Only while something observes the store. */
  readonly #late = new Set<string>();
  /** When the subscriptions to owners were last notified by a poll. */
  #ownersAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | null = null;

  constructor({ query, sql, send, listen, reports }: NotificationsOptions) {
    this.#query = query;
    this.#sql = sql;
    this.#reports = reports;
    const listener =
      listen &&
      new Listener({
        listen,
        send,
        onNotification: (payload) =>
          parseChanges(payload).forEach((change) => this.#receive(change)),
        onProven: (isProven) => this.#onProven(isProven),
      });
    this.#listener = listener;
    this.#sender = createChangeSender({
      notify: (change) => this.#notify(change),
      send:
        listener &&
        (async (changes) => {
          listener.start();
          await send(encodeChanges(changes));
        }),
    });
    this.#poller = createPoller({
      poll: () => this.#poll(),
      isNeeded: () => this.#isPollNeeded(),
      pauseMs: (failed) => (failed ? SLOW_POLL_MS : this.#pauseMs()),
      mostPauseMs: SLOW_POLL_MS,
    });
  }

  /** The store's `subscribe`. */
  subscribe(
    ...[subject, onNotification]: Parameters<RunEventStore["subscribe"]>
  ): ReturnType<RunEventStore["subscribe"]> {
    if (this.#closing !== null) return closedSubscription();
    const remove = this.#notifier.add(subject, onNotification);
    this.#countOwner(subject.ownerId, 1);
    this.#listener?.start();
    this.#poller.start(FAST_POLL_MS);
    let isOver = false;
    const stop = (): void => {
      if (isOver) return;
      isOver = true;
      remove();
      this.#countOwner(subject.ownerId, -1);
    };
    return { ready: Promise.resolve(), stop };
  }

  /** Notifies of a commit of this store that appended to runs, made a run or removed one. */
  committed(changes: readonly RunChange[]): void {
    this.#sender.add(changes);
  }

  /** Notifies of an append once the caller's transaction, which contains it, has committed. */
  joined(run: Position): void {
    this.#joined.set(nameKey(run), { ...run, since: performance.now() });
    this.#poller.hurry(FAST_POLL_MS);
  }

  /** Whether notifications are known to arrive. */
  isProven(): boolean {
    return this.#listener?.isProven() ?? false;
  }

  /** Ends all subscriptions and polls. Sends the notifications that are left, for `SLOW_POLL_MS` at most. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#notifier.clear();
    this.#owners.clear();
    this.#joined.clear();
    this.#late.clear();
    this.#poller.stop();
    // By then the other processes have polled.
    await atMost(SLOW_POLL_MS, this.#sender.close());
    this.#listener?.close();
    this.#reports.closed();
  }

  #countOwner(ownerId: string, more: 1 | -1): void {
    const name = ownerName(ownerId);
    const owners = this.#owners.get(name) ?? new Map<string, number>();
    const count = (owners.get(ownerId) ?? 0) + more;
    if (count > 0) owners.set(ownerId, count);
    else owners.delete(ownerId);
    if (owners.size > 0) this.#owners.set(name, owners);
    else this.#owners.delete(name);
  }

  /** A notification of another process, or of this one. Owners of the same name are notified for nothing. */
  #receive({ runId, owner, position }: NotifiedChange): void {
    for (const ownerId of this.#owners.get(owner)?.keys() ?? []) {
      this.#notify({ ownerId, runId, ...position });
    }
  }

  #notify(change: RunChange): void {
    const { ownerId, runId } = change;
    const key = nameKey(change);
    this.#late.delete(key);
    // A change without a position means that a run was made or removed, maybe both, so no position can be compared.
    if ("ordinal" in change) this.#notifier.see(change, change);
    else this.#notifier.notify(key, runId);
    this.#notifier.notify(nameKey({ ownerId }), runId);
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
    if (!this.isProven()) this.#notifyOwners();
    const names = new Map<string, RunName>();
    for (const subject of this.#notifier.subjects())
      if ("runId" in subject) names.set(nameKey(subject), subject);
    for (const [key, run] of this.#joined) names.set(key, run);
    const positions = await selectPositions(this.#query, this.#sql, [...names.values()]);
    const found = new Map(positions.map((position) => [nameKey(position), position]));
    // Subscriptions may have been added, stopped and notified since the query began.
    for (const [key, run] of names) {
      const position = found.get(key) ?? null;
      this.#find(run, position);
      this.#settleJoined(key, position);
    }
  }

  #find(run: RunName, position: Position | null): void {
    const isMissed = this.#notifier.see(run, position) === "later";
    if (isMissed && this.isProven() && this.#reports.report !== null) this.#late.add(nameKey(run));
  }

  /** No query says whose runs other processes have changed. */
  #notifyOwners(): void {
    const now = performance.now();
    if (now - this.#ownersAt < SLOW_POLL_MS) return;
    this.#ownersAt = now;
    for (const subject of this.#notifier.subjects())
      if (!("runId" in subject)) this.#notifier.notify(nameKey(subject), null);
  }

  #settleJoined(key: string, position: Position | null): void {
    const waiting = this.#joined.get(key);
    if (waiting === undefined) return;
    const committed =
      position?.ordinal === waiting.ordinal && position.lastSequence >= waiting.lastSequence;
    if (committed && position !== null) this.#sender.add([position]);
    if (committed || performance.now() - waiting.since > JOINED_MS) this.#joined.delete(key);
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
    return this.#listener !== null && this.#notifier.subjects().next().done !== true;
  }
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
