import type { TailOptions } from "./follow/tail.ts";
import type { CreateOptions } from "./log/create-options.ts";
import type { Claim, ClaimOptions, LeaseOptions } from "./log/leases.ts";
import type { PageOptions, RunLog, WatchOptions } from "./log/run-log.ts";
import type { ListOptions } from "./log/runs.ts";
import type { RunEvent, RunSnapshot } from "./rules/event.ts";
import type { OwnerOption } from "./rules/owner.ts";
import type { RunList } from "./rules/run-list.ts";
import type { RunEventsPage } from "./wire/run-values.ts";
import type { Upkeep } from "./upkeep/upkeep.ts";
import type { WorkOptions } from "./work/work-options.ts";
import type { WorkedRun } from "./work/worked-run.ts";

/** Everything that a program does with runs. */
export interface RunEvents extends Upkeep, Pick<RunLog, "append" | "input" | "probe" | "close"> {
  /**
   * The runs of one owner: the same calls, each without `ownerId`.
   * @throws TypeError unless it is the id of an owner: well-formed text without U+0000, and not empty
   */
  as(ownerId: string): OwnedRuns;
  /** The same API with payloads as JSON text, for servers such as `@tm/run-events-http`. */
  readonly log: RunLog;
  /**
   * Creates a run, or returns the owner's run with that id as it is.
   * @throws RunEventsError `topic_busy` (with `runId`) for an `exclusive` run while the owner has a live run of the topic; `invalid_request`,
   * `payload_too_large`, `store_unavailable`
   * @see clause W8 in `WIRE.md` of `@tm/run-events-http`, clause S16 in `STORE.md`
   */
  create(run: CreateOptions): Promise<RunSnapshot>;
  /**
   * Reads one page of the events after `since`, ascending.
   * @throws RunEventsError `not_found`, `cursor_ahead`, `history_changed`, `invalid_cursor`, `invalid_request`, `store_unavailable`
   * @see clauses W15, W16, W45 and W46 in `WIRE.md` of `@tm/run-events-http`
   */
  read(runId: string, options: PageOptions): Promise<RunEventsPage>;
  /**
   * Follows a run: every event after `since`, then new ones, up to the terminal one. To stop it, leave the loop.
   * @throws RunEventsError `not_found`, `cursor_ahead`, `history_changed` (also if the log loses events that the loop has had),
   * `invalid_cursor`, `invalid_request`, `store_unavailable`
   * @throws the signal's reason
   * @see clauses W45 and W46 in `WIRE.md` of `@tm/run-events-http`
   */
  tail(runId: string, options: TailOptions): AsyncIterable<RunEvent>;
  /**
   * Watches an owner's list: the live runs and the newest 50. Yields the whole list, and again after each change, with each run as it is now,
   * at most four times a second for each run. What changes while the loop is busy comes together. It is a list, not a log: a program that has
   * to act on every end must not rely on it. To stop it, leave the loop, or abort `options.signal`.
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @throws the signal's reason
   * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
   */
  watch(options: WatchOptions): AsyncIterable<RunList>;
  /**
   * Reads a run without its events.
   * @throws RunEventsError `not_found`, also if the run is not `ownerId`'s; `store_unavailable`
   */
  get(runId: string, options: OwnerOption): Promise<RunSnapshot>;
  /**
   * Lists an owner's runs, newest first. Pass `nextCursor` as `cursor` for the next page; it is `null` after the last run.
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @see clause W14 in `WIRE.md` of `@tm/run-events-http`
   */
  list(
    options: ListOptions,
  ): Promise<{ readonly runs: readonly RunSnapshot[]; readonly nextCursor: number | null }>;
  /**
   * Appends `RUN_CANCELLED` unless the run has finished.
   * @returns the run afterwards
   * @throws RunEventsError `not_found`, `store_unavailable`
   * @see clause W13 in `WIRE.md` of `@tm/run-events-http`
   */
  cancel(runId: string, options: OwnerOption): Promise<RunSnapshot>;
  /**
   * Removes a finished run whole.
   * @throws RunEventsError `not_found`, `run_active`, `store_unavailable`
   */
  delete(runId: string, options: OwnerOption): Promise<void>;
  /**
   * Claims a run without a lease, or whose lease has expired. From then on the run takes only appends under this fence, and its owner's
   * {@link RunEvents.input} and {@link RunEvents.cancel}. {@link RunEvents.work} does this and keeps the lease. If the answer is lost, the
   * claim is sent again under its `idempotencyKey` for up to 10 s.
   * @throws RunEventsError `claimed` (with `expiresAt`), `run_finished`, `not_found`, `invalid_request`, `store_unavailable`
   * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
   */
  claim(runId: string, options: ClaimOptions): Promise<Claim>;
  /**
   * Renews a lease: it lasts `leaseMs` from now.
   * @throws RunEventsError `fenced`, `run_finished`, `not_found`, `invalid_request`, `store_unavailable`
   */
  renew(runId: string, fence: number, options: LeaseOptions): Promise<Claim>;
  /**
   * Ends the lease, so that another worker may claim the run. Idempotent.
   * @throws RunEventsError `fenced`, `run_finished`, `not_found`, `invalid_request`, `store_unavailable`
   */
  release(runId: string, fence: number, options: OwnerOption): Promise<void>;
  /**
   * Works on a run as its only writer: claims it, keeps the lease while the task runs, and ends the run after all events of the task.
   * The end is `RUN_COMPLETED` with what the task returned, or `RUN_FAILED` with `{ reason: "error" }` if it threw, unless the task
   * has ended the run itself. It appends nothing else.
   *
   * The task is always awaited. It has to stop when `run.signal` aborts. After a shutdown (`options.signal`, `close`) a task completes
   * its run only by `run.complete`. Otherwise the run is released for another worker, or fails, as `onShutdown` has it. If the task
   * throws because the store was away, the lease expires by itself.
   * @returns what the task returned
   * @throws what the task threw, or the reason of a shutdown that stopped it
   * @throws RunEventsError as {@link RunEvents.claim}; `fenced` if the lease was lost; `run_finished` if another program ended the run; the error of an
   * emitted event or an end that could not be appended
   * @see clauses W31, W32 and W41 to W43 in `WIRE.md` of `@tm/run-events-http`
   *
   * @example
   * const answer = await runs.work(runId, { ownerId: "ada", leaseMs: 30_000 }, async (run) => {
   *   for await (const token of stream) await run.emit("TOKEN", token);
   *   return { words: 3 };
   * });
   */
  work<Value>(
    runId: string,
    options: WorkOptions & OwnerOption,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<Value>;
  /**
   * Creates a run and works on it, as {@link RunEvents.create} and {@link RunEvents.work} do, but in one step: the run is claimed from its
   * first moment, so there is always a worker, or a lease that expires, to end it. If the owner already has the run, it is claimed.
   * @returns when the run is claimed: its id, and `done`, which is what {@link RunEvents.work} answers or throws. A rejection of `done`
   * may be ignored
   * @throws RunEventsError as {@link RunEvents.create}; `claimed` (with `expiresAt`) or `run_finished` for a run that exists
   * @see clause W36 in `WIRE.md` of `@tm/run-events-http`
   *
   * @example
   * const { runId, done } = await runs.start({ ownerId: "ada", leaseMs: 30_000 }, async (run) => {
   *   await run.emit("TOKEN", "Hello");
   *   return { words: 1 };
   * });
   * await done;
   */
  start<Value>(
    run: CreateOptions & WorkOptions,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<{ readonly runId: string; readonly done: Promise<Value> }>;
}

type Unowned<Options> = Omit<Options, "ownerId">;

/** A call whose last parameter names the owner, without it. The parameter is optional if the owner was its only required member. */
type OwnedCall<Call> = Call extends (
  ...values: [...infer Values, infer Options extends OwnerOption]
) => infer Answer
  ? keyof Options extends "ownerId"
    ? (...values: Values) => Answer
    : object extends Unowned<Options>
      ? (...values: [...Values, options?: Unowned<Options>]) => Answer
      : (...values: [...Values, options: Unowned<Options>]) => Answer
  : never;

/** The calls that do not name an owner, and those that take a task, whose types a mapping would lose. */
type OtherCalls = keyof Upkeep | "as" | "log" | "probe" | "close" | "work" | "start";

type OwnedCalls = {
  [Name in keyof RunEvents as Exclude<Name, OtherCalls>]: OwnedCall<RunEvents[Name]>;
};

/** The runs of one owner: the calls of {@link RunEvents}, each without `ownerId`. */
export interface OwnedRuns extends OwnedCalls {
  readonly ownerId: string;
  /** As {@link RunEvents.work}. */
  work<Value>(
    runId: string,
    options: WorkOptions,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<Value>;
  /** As {@link RunEvents.start}. */
  start<Value>(
    run: Unowned<CreateOptions & WorkOptions>,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<{ readonly runId: string; readonly done: Promise<Value> }>;
}
