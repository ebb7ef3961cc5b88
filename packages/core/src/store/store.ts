import type { Plain, PlainLanding } from "../rules/append-rule.ts";
import type { Decision, Seen } from "../rules/decision.ts";
import type { StoreDiagnostic } from "../rules/diagnostic.ts";
import type { DueKind } from "../rules/due.ts";
import type { StoredEvent } from "../rules/event.ts";
import type { Head, RunName } from "../rules/head.ts";
import type { PageQuery as ReadQuery } from "../rules/page.ts";
import type { ListedStatus } from "../rules/listed.ts";
import type { OnNotification, Subject } from "./notifier.ts";

/** The promises of a store beyond the contract, as data. */
export interface StoreCapabilities {
  /**
   * The failure that an acknowledged commit survives: only this process (`memory`), the crash of every process (`process`), power loss (`power`), or
   * that is not known (`unknown`).
   */
  readonly durability: "memory" | "process" | "power" | "unknown";
  /** Whether other processes see the same runs. */
  readonly shared: boolean;
  /** Whether a call can join a transaction of the caller's. */
  readonly joinsTransaction: boolean;
  /**
   * Whether an answer may be lost, or a command sent twice by the client, as over a connection that may break. Core then gives each append a
   * key of its own, so that it can send it again.
   */
  readonly losesAnswers: boolean;
  /** The number of calls of `append` that core makes at once; no run is in two of them. */
  readonly appendsAtOnce: number;
  /** The longest time from a commit to its notification, in milliseconds, while the process is not starved. */
  readonly notifyWithinMs: number;
  /** The most events, and bytes of payloads, that one call may have. Core splits larger calls, and refuses an append that is larger. */
  readonly mostEvents: number;
  readonly mostBytes: number;
}

/** A subscription to the notifications of one run, or of one owner's runs. */
export interface Subscription {
  /**
   * Resolves when every later commit notifies within {@link StoreCapabilities.notifyWithinMs}. Rejects if the store cannot subscribe. It
   * always settles, even if the subscription is stopped or the store is closed before: core waits for it.
   */
  readonly ready: Promise<void>;
  /** Ends the subscription: no notification comes after it. Idempotent. */
  stop(): void;
}

/** A change of one run. @see {@link RunEventStore.change} */
export interface Change<Answer> extends RunName {
  /** The idempotency keys whose receipts the decision has to see. */
  readonly keys?: readonly string[];
  /** The topic whose holder the decision has to see. If it creates the run, the commit needs the holder to be the same still. */
  readonly topic?: string | null;
  /** Whether the decision has to see the metadata. */
  readonly wantsMetadata?: boolean;
  /**
   * Decides by what is seen of the run. It is synchronous and never throws, and may be called again: after a conflict with another writer, and
   * after a commit whose answer was lost.
   */
  decide(seen: Seen): Decision<Answer>;
}

export type { ReadQuery };

/** A run's head, and its events since+1, since+2, … without a gap. */
export interface ReadResult {
  readonly head: Head;
  readonly events: readonly StoredEvent[];
}

/** A request for an owner's runs, newest first (descending `ordinal`), through an index. */
export interface OwnerQuery {
  readonly ownerId: string;
  /** Only runs of this topic; `null` for all. */
  readonly topic: string | null;
  /** Only runs in this status; `live` for those that have not finished; `null` for all. */
  readonly runStatus: ListedStatus | null;
  /** Only runs with a smaller `ordinal`; `null` from the newest. */
  readonly before: number | null;
  readonly limit: number;
}

/** A request for runs of all owners by `dueMs`, the earliest first, through an index. */
export interface DueQuery {
  readonly due: DueKind;
  /** Only runs whose `dueMs` is at least this many milliseconds ago, by the store's clock. */
  readonly forMs: number;
  readonly limit: number;
}

/** The calls that core needs of a database. @see `STORE.md` */
export interface RunEventStore {
  readonly capabilities: StoreCapabilities;
  /**
   * Commits the plain case in one step, each by itself: what `takePlain` takes, under a key that the run does not have. The plains of one run
   * keep their order.
   * @returns where each landed, in their order. `null`: it is not plain after all, nothing was written, and neither was any later one of its run
   * @throws RunEventsError `store_unavailable`, `ambiguous` if some may have landed
   */
  append(plains: readonly Plain[]): Promise<readonly (PlainLanding | null)[]>;
  /**
   * Changes runs by decisions, each run once at most, each by itself and whole: what a decision returns is committed if the run is still as
   * it was seen; otherwise it is decided again.
   * @returns the answers, in their order
   * @throws RunEventsError `store_unavailable`, `ambiguous` if some may have been committed
   */
  change<Answer>(changes: readonly Change<Answer>[]): Promise<readonly Answer[]>;
  /** Reads runs, each at one point in time and with all that was acknowledged before; `null` for one that does not exist. */
  read(queries: readonly ReadQuery[]): Promise<readonly (ReadResult | null)[]>;
  /** The heads of runs, without metadata. */
  list(query: OwnerQuery | DueQuery): Promise<readonly Head[]>;
  /**
   * Writes something small as durably as an append, into no run.
   * @returns the time of the store's clock: the clock of events and of leases
   * @throws RunEventsError `store_unavailable`, with why no append could land
   */
  probe(): Promise<number>;
  /**
   * Notifies of commits on a run, or on any of an owner's runs, and possibly for nothing; not of a renewal.
   * @param onNotification gets the id of the run; `null` if it may be any. It is never called from within `subscribe`, and must not throw
   */
  subscribe(subject: Subject, onNotification: OnNotification): Subscription;
  /** Reports the state of the store's notifications until `close`. */
  observe?(report: (diagnostic: StoreDiagnostic) => void): void;
  /** Ends every subscription and closes the store. Idempotent; waits for the calls under way, and refuses later ones. */
  close(): Promise<void>;
}

/** A store with tables, which have to be created. @see clause S19 in `STORE.md` */
export interface MigratableStore extends RunEventStore {
  /**
   * Creates or updates the tables. Many processes may call it at once. If nothing is to be done, it writes nothing.
   * @throws RunEventsError `store_unavailable`; also for tables of another format, which this program must not change
   */
  migrate(): Promise<void>;
  /**
   * Checks that the tables have this program's schema.
   * @throws RunEventsError `store_unavailable`
   */
  verify(): Promise<void>;
}
