import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import type { OnNotification, Subject } from "../store/notifier.ts";
import type { OwnerQuery, Subscription } from "../store/store.ts";
import { type Clock, nextTurn } from "../time/clock.ts";
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
  readonly limits: ListLimits;
  /** The end of each owner's last look, of any topic. It never rejects. */
  readonly looks: Map<string, Promise<void>>;
}

/** A reader of a watched list, as the watch notifies it. */
export interface WatchReader {
  /** A run has changed, come or gone. */
  change(runId: string): void;
  /** A look has ended, or runs have changed. */
  wake(): void;
  fail(failure: unknown): void;
}

/** The pause between two looks, and between two reads of runs, in milliseconds. @see clause W48 in `WIRE.md` of `@tm/run-events-http` */
export const STATE_PAUSE_MS = 250;
/** The number of heads that are read at once: each may have 256 KiB of metadata. If more runs have changed, a look costs less. */
const READ_AT_ONCE = 64;

/**
 * Watches one owner's list, of one topic or of all, for all its readers in this process. A look lists the live runs, then the newest, and
 * compares. A notification that names a run reads that run; one that names none is followed by a look. Nothing else is remembered:
 * a look finds all that was missed. A notification that comes during a look counts after it: the look may be older. If a look or a read
 * fails, every reader fails, and the next one gets a new watch.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`, clause S13 in `STORE.md`
 */
export class OwnerWatch {
  readonly list: WatchedList;
  readonly #scope: WatchScope;
  readonly #host: WatchHost;
  readonly #onOver: () => void;
  readonly #subscription: Subscription;
  readonly #readers = new Set<WatchReader>();
  /** The runs that may have changed since they were read. */
  readonly #dirty = new Set<string>();
  /** The reads of metadata under way: many readers that begin ask at once. */
  readonly #reading = new Map<string, Promise<RunRecord | null>>();
  #mustLook = false;
  #isWorking = false;
  #isOver = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** The time of the last look or read. */
  #readAtMs = Number.NEGATIVE_INFINITY;
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

  /** After the last reader has left, the watch stays for a pause: a reader that comes back then causes no look at once. */
  leave(reader: WatchReader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0 || this.#isOver) return;
    this.#stopLeaving = this.#host.clock.every(STATE_PAUSE_MS, () => this.#end());
  }

  /** Looks again: any run may have changed. */
  refresh(): void {
    this.#mustLook = true;
    this.#wake();
    void this.#work();
  }

  /** Ends every reader. Idempotent. */
  fail(failure: unknown): void {
    const readers = [...this.#readers];
    this.#readers.clear();
    this.#end();
    for (const reader of readers) reader.fail(failure);
  }

  /** The run with its metadata; `null` if it was removed meanwhile, which a look finds. The state stays that of the list: the read may be older. */
  async whole(run: RunRecord): Promise<RunRecord | null> {
    if (run.metadata !== "") return run;
    // The id may be used again while a read is under way.
    const key = `${run.ordinal} ${run.runId}`;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#head(run.runId, true).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    const head = await reading;
    if (head?.ordinal !== run.ordinal) return null;
    this.list.learn(head);
    return { ...run, metadata: head.metadata };
  }

  #notify(runId: string | null): void {
    if (runId === null) return this.refresh();
    this.#dirty.add(runId);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#isWorking || this.#isOver) return;
    this.#isWorking = true;
    try {
      while (this.#readers.size > 0 && (this.#mustLook || this.#dirty.size > 0)) {
        // Runs that change in one turn are read together.
        await nextTurn();
        this.#mustLook ||= this.#dirty.size > READ_AT_ONCE;
        const lastMs = this.#mustLook ? this.#lookedAtMs : this.#readAtMs;
        const pauseMs = lastMs + STATE_PAUSE_MS - this.#host.clock.now();
        if (pauseMs > 0) await this.#pause(pauseMs);
        else if (this.#mustLook) await this.#lookInTurn();
        else await this.#read();
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#isWorking = false;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#host.clock.every(ms, () => this.#wake());
      this.#wake = () => {
        this.#wake = () => {};
        stop();
        resolve();
      };
    });
  }

  /**
   * Looks after the owner's other looks, and after a turn of the event loop: an owner may watch many topics, and ask for them at once.
   */
  async #lookInTurn(): Promise<void> {
    const { looks } = this.#host;
    const { ownerId } = this.#scope;
    const before = looks.get(ownerId);
    const mine =
      before === undefined ? this.#look() : before.then(nextTurn).then(() => this.#look());
    const ended = mine.catch(() => {});
    looks.set(ownerId, ended);
    try {
      await mine;
    } finally {
      if (looks.get(ownerId) === ended) looks.delete(ownerId);
    }
  }

  async #look(): Promise<void> {
    // Its readers may have left while other topics were looked at.
    if (this.#readers.size === 0) return;
    this.#mustLook = false;
    this.#dirty.clear();
    this.#begun += 1;
    const number = this.#begun;
    this.#lookedAtMs = this.#host.clock.now();
    this.#readAtMs = this.#lookedAtMs;
    const live = await this.#list("live", this.#host.limits.live + 1);
    // Listed after the live runs, so that a run that ends in between is in one of the two lists.
    const newest = await this.#list(null, this.#host.limits.newest);
    const lacking = await this.#heads(this.list.lackingIn([...live, ...newest]), false);
    const { changed, mustLook } = this.list.take({ live, newest, lacking });
    this.#mustLook ||= mustLook;
    this.#ended = number;
    this.#tell(changed);
  }

  async #read(): Promise<void> {
    const runIds = [...this.#dirty];
    this.#dirty.clear();
    this.#readAtMs = this.#host.clock.now();
    const changed: string[] = [];
    for (const [runId, run] of await this.#heads(runIds, true)) {
      const { isChanged, mustLook } = this.list.takeRun(runId, run);
      if (isChanged) changed.push(runId);
      this.#mustLook ||= mustLook;
    }
    if (changed.length > 0) this.#tell(changed);
  }

  #tell(changed: readonly string[]): void {
    for (const reader of this.#readers) {
      for (const runId of changed) reader.change(runId);
      reader.wake();
    }
  }

  #list(runStatus: OwnerQuery["runStatus"], limit: number): Promise<readonly RunRecord[]> {
    return this.#host.source.list({ ...this.#scope, runStatus, before: null, limit });
  }

  /** The runs as they are now, by their ids; `null` for one that does not exist. */
  async #heads(
    runIds: readonly string[],
    wantsMetadata: boolean,
  ): Promise<ReadonlyMap<string, RunRecord | null>> {
    const heads = new Map<string, RunRecord | null>();
    for (let at = 0; at < runIds.length; at += READ_AT_ONCE) {
      const some = runIds.slice(at, at + READ_AT_ONCE);
      const read = await Promise.all(some.map((runId) => this.#head(runId, wantsMetadata)));
      for (const [index, runId] of some.entries()) heads.set(runId, read[index] ?? null);
    }
    return heads;
  }

  async #head(runId: string, wantsMetadata: boolean): Promise<RunRecord | null> {
    const { ownerId } = this.#scope;
    const query = { runId, ownerId, since: 0, limit: 0, maxBytes: 1, wantsMetadata };
    return (await this.#host.source.read(query))?.run ?? null;
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
