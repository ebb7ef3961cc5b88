import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { OnNotification, Subject } from "../store/notifier.ts";
import type { OwnerQuery, Subscription } from "../store/store.ts";
import { type Clock, nextTurn } from "../time/clock.ts";
import { OwnedHeads } from "./owned-heads.ts";
import type { OwnerLooks } from "./owner-looks.ts";
import { type ListLimits, WatchedList, type WatchScope } from "./watched-list.ts";

/** The part of a store that watched lists need. */
export interface WatchSource {
  list(query: OwnerQuery): Promise<readonly RunRecord[]>;
  read(query: ReadQuery): Promise<ReadResult | null>;
  subscribe(subject: Subject, onNotification: OnNotification): Subscription;
}

/** The parts that the watches of a process share. */
export interface WatchHost {
  readonly source: WatchSource;
  readonly clock: Clock;
  readonly looks: OwnerLooks;
  readonly limits: ListLimits;
}

/** A reader of a watched list, as the watch notifies it. */
export interface WatchReader {
  /** Whether it waits for a whole list. */
  readonly isStarting: boolean;
  /** A run has changed, come or gone. */
  change(runId: string): void;
  /** Something may have changed. */
  wake(): void;
  fail(failure: unknown): void;
}

/** The pause between two states of one run, and between two looks, in milliseconds. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export const STATE_PAUSE_MS = 250;
/** The number of heads that are read at once: each may have 256 KiB of metadata. */
const READ_AT_ONCE = 64;

/**
 * Watches one owner's list, of one topic or of all, for all its readers in this process. A look lists the live runs, then the newest, and
 * compares. A notification that names a run reads that run; one that names none is followed by a look. Nothing else is remembered:
 * a look finds all that was missed.
 *
 * | state    | event                               | next     | what happens                                                       |
 * | -------- | ----------------------------------- | -------- | ------------------------------------------------------------------ |
 * | idle     | a notification, a recheck, a reader | working  | the run is due, or a look                                          |
 * | working  | a look is due                       | working  | the list is compared; readers get what has changed                 |
 * | working  | runs are due                        | working  | they are read; so many that a look costs less wait for a look      |
 * | working  | nothing is due yet                  | pausing  | until the first pause ends                                         |
 * | pausing  | a notification, the end of the pause | working |                                                                    |
 * | working  | nothing is left                     | idle     |                                                                    |
 * | working  | a read or a look fails              | over     | every reader fails; the next one gets a new watch                  |
 * | any      | the last reader leaves              | left     | it stays until its pause ends, so that a reader that comes back does not look at once |
 * | left     | a reader comes                      | working  |                                                                    |
 * | left     | the pause ends                      | over     | the subscription ends                                              |
 *
 * A notification that comes during a look counts after it: the look may be older.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`, clause S13 in `STORE.md`
 */
export class OwnerWatch {
  readonly list: WatchedList;
  readonly #scope: WatchScope;
  readonly #host: WatchHost;
  readonly #heads: OwnedHeads;
  readonly #onOver: () => void;
  readonly #subscription: Subscription;
  readonly #readers = new Set<WatchReader>();
  /** The runs that may have changed since they were read. */
  readonly #dirty = new Set<string>();
  /** Runs of the owner that the list has no place for. Their notifications are passed over until the next look. */
  readonly #outside = new Set<string>();
  #mustLook = false;
  #isWorking = false;
  #isOver = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** The number of looks that have begun, and the number of the last that has ended. */
  #begun = 0;
  #ended = 0;
  /** Ends the pause, while there is one. */
  #wake: () => void = () => {};
  #stopLeaving: () => void = () => {};

  /** @param onOver called once, when the watch has ended */
  constructor(scope: WatchScope, host: WatchHost, onOver: () => void) {
    this.#scope = scope;
    this.#host = host;
    this.#onOver = onOver;
    this.list = new WatchedList(scope, host.limits);
    const { ownerId } = scope;
    this.#heads = new OwnedHeads(host.source, ownerId);
    this.#subscription = host.source.subscribe({ ownerId }, (runId) => this.#notify(runId));
    // Commits before the subscription was ready did not notify.
    this.#subscription.ready.then(
      () => this.#begun > 0 && this.refresh(),
      () => {},
    );
  }

  /** The number of the next look. A look with this number or a later one begins after this call. */
  get next(): number {
    return this.#begun + 1;
  }

  /** The number of the last look that has ended. */
  get ended(): number {
    return this.#ended;
  }

  join(reader: WatchReader): void {
    this.#stopLeaving();
    this.#readers.add(reader);
    this.refresh();
  }

  leave(reader: WatchReader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    this.#wake();
    const leftMs = this.#lookedAtMs + STATE_PAUSE_MS - this.#host.clock.now();
    if (leftMs <= 0) this.#end();
    else this.#stopLeaving = this.#host.clock.every(leftMs, () => this.#end());
  }

  /** Looks again: any run may have changed. */
  refresh(): void {
    if (!this.#mustLook) this.#wake();
    this.#mustLook = true;
    void this.#work();
  }

  /** Ends every reader. Idempotent. */
  fail(failure: unknown): void {
    const readers = [...this.#readers];
    this.#readers.clear();
    this.#end();
    for (const reader of readers) reader.fail(failure);
  }

  /** The runs with their metadata. One that was removed meanwhile is left out: a notification or a look finds that. */
  async withMetadata(runs: readonly RunRecord[]): Promise<readonly RunRecord[]> {
    if (runs.every(({ metadata }) => metadata !== "")) return runs;
    const whole = await Promise.all(runs.map((run) => this.#withMetadata(run)));
    return whole.filter((run) => this.list.isInScope(run));
  }

  /** The state stays that of the list: the read may have begun before the run's last change. */
  async #withMetadata(run: RunRecord): Promise<RunRecord | null> {
    if (run.metadata !== "") return run;
    const head = await this.#heads.readShared(run.runId);
    if (head === null || head.ordinal !== run.ordinal) return head;
    this.list.learnMetadata(head);
    return { ...run, metadata: head.metadata };
  }

  #notify(runId: string | null): void {
    if (runId === null) {
      this.refresh();
      return;
    }
    if (this.#outside.has(runId)) return;
    this.#dirty.add(runId);
    const isFew = this.#dirty.size <= READ_AT_ONCE;
    if (isFew && this.#dueAtMs(runId) <= this.#host.clock.now()) this.#wake();
    void this.#work();
  }

  #dueAtMs(runId: string): number {
    return this.list.changedAtMs(runId) + STATE_PAUSE_MS;
  }

  async #work(): Promise<void> {
    if (this.#isWorking || this.#isOver) return;
    this.#isWorking = true;
    try {
      while (this.#readers.size > 0 && (this.#mustLook || this.#dirty.size > 0)) {
        // Runs that change in one turn are read together.
        await nextTurn();
        if (this.#readers.size > 0) await this.#step(this.#host.clock.now());
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#isWorking = false;
    }
  }

  /** Does what is due, or pauses until something is. */
  async #step(nowMs: number): Promise<void> {
    const lookDueMs = this.#lookedAtMs + STATE_PAUSE_MS;
    if (this.#mustLook && lookDueMs <= nowMs) {
      await this.#host.looks.take(this.#scope.ownerId, () => this.#look());
      await this.#wakeStarting();
      return;
    }
    const due: string[] = [];
    let nextMs = this.#mustLook ? lookDueMs : Number.POSITIVE_INFINITY;
    for (const runId of this.#dirty) {
      const dueMs = this.#dueAtMs(runId);
      if (dueMs <= nowMs) due.push(runId);
      else nextMs = Math.min(nextMs, dueMs);
    }
    if (due.length > READ_AT_ONCE) this.#mustLook = true;
    if (due.length === 0) await this.#pause(nextMs - nowMs);
    else if (due.length > READ_AT_ONCE) await this.#pause(Math.max(0, lookDueMs - nowMs));
    else await this.#read(due);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#host.clock.every(Math.max(1, ms), () => this.#wake());
      this.#wake = () => {
        this.#wake = () => {};
        stop();
        resolve();
      };
    });
  }

  async #look(): Promise<void> {
    // Its readers may have left while other topics were looked at.
    if (this.#readers.size === 0) return;
    this.#mustLook = false;
    this.#dirty.clear();
    this.#outside.clear();
    this.#begun += 1;
    const number = this.#begun;
    const { clock } = this.#host;
    this.#lookedAtMs = clock.now();
    const live = await this.#list("live", this.#host.limits.live + 1);
    // Afterwards, so that a run that ends meanwhile is in one of them.
    const newest = await this.#list(null, this.#host.limits.newest);
    const lacking = new Map<string, RunRecord | null>();
    const lost = this.list.lackingIn({ live, newest });
    for (let at = 0; at < lost.length; at += READ_AT_ONCE) {
      for (const [runId, run] of await this.#heads.read(lost.slice(at, at + READ_AT_ONCE)))
        lacking.set(runId, run && { ...run, metadata: "" });
    }
    const version = this.list.version;
    const changed = this.list.take({ live, newest, lacking }, clock.now());
    this.#ended = number;
    this.#tell(changed, version !== this.list.version);
  }

  /** Lets the readers that wait for a whole list go on, in a turn each: they may encode it. */
  async #wakeStarting(): Promise<void> {
    for (const reader of this.#readers) {
      if (!reader.isStarting) continue;
      reader.wake();
      await nextTurn();
    }
  }

  #list(runStatus: OwnerQuery["runStatus"], limit: number): Promise<readonly RunRecord[]> {
    return this.#host.source.list({ ...this.#scope, runStatus, before: null, limit });
  }

  async #read(runIds: readonly string[]): Promise<void> {
    for (const runId of runIds) this.#dirty.delete(runId);
    const changed: string[] = [];
    for (const [runId, run] of await this.#heads.read(runIds)) {
      const outcome = this.list.takeRun(runId, run, this.#host.clock.now());
      if (outcome.isChanged) changed.push(runId);
      if (outcome.isOutside) this.#outside.add(runId);
      this.#mustLook ||= outcome.mustLook;
    }
    this.#tell(changed, false);
  }

  /** @param isMore whether the list has changed beyond these runs */
  #tell(changed: readonly string[], isMore: boolean): void {
    if (changed.length === 0 && !isMore) return;
    for (const reader of this.#readers) {
      if (reader.isStarting) continue;
      for (const runId of changed) reader.change(runId);
      reader.wake();
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopLeaving();
    this.#wake();
    this.#subscription.stop();
    this.#onOver();
  }
}
