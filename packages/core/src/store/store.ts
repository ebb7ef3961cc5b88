import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { JoinedAppend } from "../rules/plan-joined-append.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { ClaimRequest, LeaseOutcome, ReleaseRequest, RenewRequest } from "../rules/claims.ts";
import type { CreateOutcome, CreateRunRequest } from "../rules/creation.ts";
import type { IdleLimit } from "../rules/idle.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListedStatus } from "../rules/listed.ts";
import type { StoreDiagnostic } from "../rules/diagnostic.ts";

/** A request for an owner's runs, newest first (descending `ordinal`). @see {@link RunEventStore.listRuns} */
export interface ListQuery {
  readonly ownerId: string;
  /** Only runs in this status; `live` for those that have not finished; `null` for all. */
  readonly runStatus: ListedStatus | null;
  /**
   * Only runs of this topic; `null`, or missing, for all. Through an index: neither the owner's other runs nor other topics cost
   * anything. @see clause S25 in `STORE.md`
   */
  readonly topic?: string | null;
  /** Only runs with a smaller `ordinal`; `null` from the newest. */
  readonly before: number | null;
  readonly limit: number;
  /**
   * Whether the runs come with their metadata, which may be large. Without it, `metadata` is the empty text, and the store reads no
   * metadata.
   * @defaultValue `true`
   */
  readonly withMetadata?: boolean;
}

/** A request for runs whose lease expired `graceMs` ago or earlier, and that no worker has claimed since. @see {@link RunEventStore.listExpired} */
export interface ExpiredQuery {
  readonly graceMs: number;
  /** 1 or more. */
  readonly limit: number;
}

/** A request for live runs in one status that no worker has worked on for some time. @see {@link RunEventStore.listIdle} */
export interface IdleQuery extends IdleLimit {
  /** 1 or more. */
  readonly limit: number;
}

/** A request to remove runs that finished some time ago. @see {@link RunEventStore.purge} */
export interface PurgeRequest {
  /** Removes runs whose `finishedAtMs` is this many milliseconds ago or more, by the store's clock. 0 or more. */
  readonly finishedForMs: number;
  /** The most runs of this call: 1 or more. */
  readonly limit: number;
}

/** What became of a deletion. `active`: the run has not finished, and stays. @see {@link RunEventStore.deleteRun} */
export type DeleteOutcome = "deleted" | "not_found" | "active";

/** What a subscription is to: a run, by its id, or all runs of an owner. */
export type Subject = string | { readonly ownerId: string };

/** A subscription to the notifications of one run, or of one owner's runs. */
export interface Subscription {
  /**
   * Resolves when every later commit notifies within {@link StoreCapabilities.notifyWithinMs}. Rejects if the store cannot subscribe. It always settles, even
   * if the subscription is stopped or the store is closed before: core waits for it.
   */
  readonly ready: Promise<void>;
  /** Ends the subscription: no notification comes after it. Idempotent. */
  stop(): void;
}

/** What a store promises beyond the contract, as data. */
export interface StoreCapabilities {
  /**
   * What an acknowledged append survives: only this process (`memory`), the crash of every process
   * (`process`), power loss (`power`), or that is not known (`unknown`). @see clause S6 in `STORE.md`
   */
  readonly durability: "memory" | "process" | "power" | "unknown";
  /** Whether other processes see the same runs. */
  readonly shared: boolean;
  /** Whether an append can join a transaction of the caller's. */
  readonly joinsTransaction: boolean;
  /**
   * Whether appends are expected to fail now and then without anyone knowing if they landed, as over a connection that may
   * break; core then gives each append its own key and sends it again. A store that says `false` may still throw `ambiguous`,
   * when a disk fails in the middle of a commit: then only appends with a key are sent again. @see clause S7 in `STORE.md`
   */
  readonly losesAcknowledgements: boolean;
  /**
   * How many calls of `append` core makes at once; no run is in two of them. 1 where the store works on one after the other, 2
   * where a server may work on one while this process takes in the answers of the other. More share less.
   */
  readonly appendsAtOnce: number;
  /**
   * The longest time from a commit to its notification, in milliseconds, while the process is not starved.
   * @see clause S13 in `STORE.md`
   */
  readonly notifyWithinMs: number;
}

/**
 * What an adapter promises and core builds on. Adapters move rows and hold no policy. `STORE.md` has the promises as
 * clauses, in short:
 *
 * - **S1** sequences of a run are 1, 2, 3, …: no gap, no repeat, through crashes, retries and races.
 * - **S2** one request is atomic; requests of one call are independent, those for one run keep their order.
 * - **S3** commit order is sequence order. **S4** appends are linearizable a run, from any number of processes.
 * - **S5** the order of outcomes, see {@link AppendOutcome}. **S6** acknowledged is as durable as {@link StoreCapabilities.durability} says.
 * - **S7** a lost acknowledgement is a `RunEventsError` with `ambiguous`. **S8** payloads come back byte for byte.
 * - **S9** a read is one point in time, contiguous, cut but never to nothing. **S10** it sees what was acknowledged before.
 * - **S11** returned values are the caller's. **S12** cost grows neither with the run nor with the number of runs.
 * - **S13** notifications ({@link RunEventStore.subscribe}) carry no data and may be late, merged, repeated or spurious. **S14** one notification connection a
 *   process. **S15** correctness never depends on a notification. **S16** {@link RunEventStore.createRun} is idempotent by run and owner.
 * - **S17** {@link RunEventStore.deleteRun} removes a finished run whole, refuses a live one. **S18** {@link RunEventStore.close} is idempotent and ends every subscription.
 * - **S19** schemas are migrated explicitly. **S20** a driver's failure is a `RunEventsError` `store_unavailable` with its `cause`.
 * - **S21** {@link RunEventStore.claim} gives a run to one worker, with a fence higher than any before. **S22** a claimed run takes appends of its
 *   fence, and its owner's. **S23** {@link RunEventStore.listExpired} finds expired leases through an index. **S24** {@link RunEventStore.purge} removes old runs in batches.
 * - **S25** {@link RunEventStore.listRuns} finds an owner's runs of one topic, and the live ones, through an index.
 * - **S26** {@link RunEventStore.createRun} may claim the run in the same step.
 * - **S28** {@link RunEventStore.listIdle} finds runs that no worker works on, through an index.
 * - **S30** a read answers the time of the event `since` too, if it is asked for.
 * - **S31** {@link RunEventStore.probe} resolves if an append could land now, with the store's time.
 */
export interface RunEventStore {
  readonly capabilities: StoreCapabilities;
  /**
   * Creates a run, or answers the owner's run that has the id. With a claim it claims that run in the same step. An exclusive
   * run is created only while the owner has no live run of its topic.
   * @throws RunEventsError `store_unavailable`, with `ambiguous` if a claim may have landed
   * @see clauses S16, S25 and S26 in `STORE.md`
   */
  createRun(request: CreateRunRequest): Promise<CreateOutcome>;
  /**
   * Appends the batches of many requests.
   * @returns one outcome a request, in their order
   * @throws RunEventsError `store_unavailable`
   * @see clauses S1 to S8 in `STORE.md`
   */
  append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]>;
  /** Reads pages: one answer a query, in their order; `null` if the run does not exist. @see clauses S8 to S12 and S30 in `STORE.md` */
  read(queries: readonly ReadQuery[]): Promise<readonly (ReadResult | null)[]>;
  /** A run's head; `null` if the run does not exist. */
  getRun(runId: string): Promise<RunRecord | null>;
  /** An owner's runs, newest first. @see clauses S12 and S25 in `STORE.md` */
  listRuns(query: ListQuery): Promise<readonly RunRecord[]>;
  /** Removes a finished run, and notifies its subscriptions. `ownerId` as in {@link ReadQuery}. @see clause S17 in `STORE.md` */
  deleteRun(runId: string, ownerId: string | null): Promise<DeleteOutcome>;
  /**
   * Claims a run in one round trip. Like `renew` and `release`, it neither notifies, moves `updatedAtMs` nor writes an event.
   * @see clause S21 in `STORE.md`
   */
  claim(request: ClaimRequest): Promise<LeaseOutcome>;
  /** Moves the end of a lease. @see clause S21 in `STORE.md` */
  renew(request: RenewRequest): Promise<LeaseOutcome>;
  /** Ends a lease. @see clause S21 in `STORE.md` */
  release(request: ReleaseRequest): Promise<LeaseOutcome>;
  /**
   * The ids of runs with expired leases, the longest expired first. The number of all runs does not matter.
   * @see clause S23 in `STORE.md`
   */
  listExpired(query: ExpiredQuery): Promise<readonly string[]>;
  /**
   * The ids of runs of a status that have no lease and have been idle for `idleForMs` or longer, the longest first. Neither the number
   * of all runs nor that of runs with a lease matters. A call looks at a bounded number of runs, so it may find fewer than there are. Then
   * a later call finds the others.
   * @see clause S28 in `STORE.md`
   */
  listIdle(query: IdleQuery): Promise<readonly string[]>;
  /**
   * Removes runs whole, in the order in which they finished, and notifies their subscriptions. It removes fewer than
   * `limit` runs if so many would hold up appends, and none only if none is left.
   * @returns the ids of the removed runs
   * @see clause S24 in `STORE.md`
   */
  purge(request: PurgeRequest): Promise<readonly string[]>;
  /**
   * Resolves if an append could land now: it writes something small as durably as an append does, into no run. It waits for
   * the store as an append does, so a caller bounds it.
   * @returns the time of the store's clock meanwhile, in milliseconds since 1970: the clock of `createdAt` and of leases. Of several
   * clocks, as those of a cluster's masters, the latest
   * @throws RunEventsError `store_unavailable`, with why no append could land
   * @see clause S31 in `STORE.md`
   */
  probe(): Promise<number>;
  /**
   * Subscribes to a run, or to all runs of an owner: to what is created, removed or appended to, but not to leases. `onNotification` is never
   * called from within `subscribe` itself, and must not throw.
   * @param onNotification gets the id of the run that changed, or `null` if any run of the owner may have changed
   * @see clauses S13 to S15 in `STORE.md`
   */
  subscribe(subject: Subject, onNotification: (runId: string | null) => void): Subscription;
  /**
   * Reports the state of the store's notifications in this process, until `close`: a lost connection, a missed notification.
   * Several logs may observe a store. A store without this reports nothing. `createStoreReports` keeps the observers.
   * @param report never throws
   */
  observe?(report: (diagnostic: StoreDiagnostic) => void): void;
  /** Ends every subscription and closes the store. Idempotent. @see clause S18 in `STORE.md` */
  close(): Promise<void>;
}

/** A store with tables, which have to be created. @see clause S19 in `STORE.md` */
export interface MigratableStore extends RunEventStore {
  /**
   * Creates or updates the tables. Many processes may call it at once. If nothing is to be done, it writes nothing.
   * @throws RunEventsError `store_unavailable`; also for a newer schema that this program must not change
   */
  migrate(): Promise<void>;
  /**
   * Checks that the tables have this program's schema.
   * @throws RunEventsError `store_unavailable`
   */
  verify(): Promise<void>;
}

/** A store whose {@link StoreCapabilities.joinsTransaction} is `true`. */
export interface TransactionalStore<
  Append extends JoinedAppend = JoinedAppend,
> extends RunEventStore {
  /**
   * Appends inside the caller's open transaction. The events exist if and only if the caller commits, and subscriptions are notified
   * after the commit. A refusal leaves the transaction as it was.
   * @param append `planJoinedAppend` checks it. A store on a server adds the connection of the transaction
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`,
   * `invalid_request`, `invalid_event`, `payload_too_large`, `store_unavailable`
   * @throws TypeError if no transaction is open. A synchronous store throws, any other rejects
   * @see clause S6 in `STORE.md`
   */
  appendInTransaction(append: Append): AppendReceipt | Promise<AppendReceipt>;
}
