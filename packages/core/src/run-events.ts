import { type TailOptions, tailSlices } from "./follow/tail.ts";
import {
  checkLease,
  type Claim,
  claimOf,
  type ClaimOptions,
  type LeaseOptions,
} from "./log/leases.ts";
import type { ListOptions } from "./log/runs.ts";
import { type OwnedRuns, ownedRuns } from "./owned-runs.ts";
import { openRunLog } from "./log/create-run-log.ts";
import { observeTail } from "./log/observe.ts";
import { watchList } from "./log/watch-lists.ts";
import type {
  AppendOptions,
  PageOptions,
  RunEventsOptions,
  RunLog,
  WatchOptions,
  WorkAppendOptions,
} from "./log/run-log.ts";
import type { EventDraft, RunEvent, RunSnapshot } from "./rules/event.ts";
import { checkOptions, type OwnerOption } from "./rules/owner.ts";
import type { AppendReceipt } from "./rules/receipt.ts";
import type { RunList } from "./rules/run-list.ts";
import { eventOf, pageOf, type RunEventsPage, snapshotOf } from "./rules/run-values.ts";
import type { ProbeOptions } from "./upkeep/probe.ts";
import type { Upkeep } from "./upkeep/upkeep.ts";
import { observedAccess } from "./work/observe-work.ts";
import { claimedRun, createLogAccess, type RunAccess } from "./work/run-access.ts";
import { runWork, startWork } from "./work/work.ts";
import type { WorkOptions } from "./work/work-options.ts";
import type { WorkedRun } from "./work/worked-run.ts";

/** Everything that a program does with runs. */
export interface RunEvents extends Upkeep {
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
  create(run: {
    readonly ownerId: string;
    /**
     * Matches `^[A-Za-z0-9_-]{1,128}$`.
     * @defaultValue a new UUID
     */
    readonly runId?: string;
    /**
     * Any JSON value.
     * @defaultValue `null`
     */
    readonly metadata?: unknown;
    /**
     * What the run is about, such as a chat, a document or a build: 1 to 200 characters, none of them a control character. It never
     * changes. `list` finds the runs of a topic.
     * @defaultValue `null`: no topic
     * @see clause W34 in `WIRE.md` of `@tm/run-events-http`
     */
    readonly topic?: string | null | undefined;
    /**
     * Creates the run only while the owner has no live run of `topic`. The topic is free again the moment that run ends.
     * @defaultValue `false`
     * @see clause W35 in `WIRE.md` of `@tm/run-events-http`
     */
    readonly exclusive?: boolean | undefined;
  }): Promise<RunSnapshot>;
  /**
   * Appends all of the events or none. Calls that come while an append is under way share the next commit.
   * @throws RunEventsError `not_found`, `idempotency_key_reused`, `run_finished`, `fenced`, `sequence_conflict`,
   * `invalid_request`, `invalid_event`, `payload_too_large`, `store_unavailable` (with `ambiguous` if it may have landed)
   * @see clauses W9 to W11 and W32 in `WIRE.md` of `@tm/run-events-http`, clause S5 in `STORE.md`
   */
  append(
    runId: string,
    events: readonly EventDraft[],
    options: AppendOptions,
  ): Promise<AppendReceipt>;
  /**
   * Appends a person's input to a run: an `INPUT_RECEIVED` with this payload. A waiting run is then running again. The call needs no fence,
   * and leaves the lease of a worker that has the run as it is: `run.inputs` and `run.ask` of its {@link WorkedRun} get the payload. Only
   * this call appends `INPUT_RECEIVED`.
   * @param payload any JSON value
   * @throws RunEventsError `not_found`, `idempotency_key_reused`, `run_finished`, `sequence_conflict`, `invalid_request`,
   * `invalid_event`, `payload_too_large`, `store_unavailable` (with `ambiguous` if it may have landed)
   * @see clauses W38 and W39 in `WIRE.md` of `@tm/run-events-http`, clause S27 in `STORE.md`
   */
  input(
    runId: string,
    payload: unknown,
    options: OwnerOption & WorkAppendOptions,
  ): Promise<AppendReceipt>;
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
   * Watches an owner's list: the live runs and the newest 50. Yields the whole list, and again after each change, with each run as it is
   * now, at most four times a second for each run. What changes while the loop is busy comes together. It is a list, not a log: a program
   * that has to act on every end must not learn of them here. To stop it, leave the loop, or abort `options.signal`.
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
   * @see clause W31 in `WIRE.md` of `@tm/run-events-http`, clause S21 in `STORE.md`
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
   * @see clauses S21 and S22 in `STORE.md`, and W41 to W43 in `WIRE.md` of `@tm/run-events-http`
   *
   * @example
   * const answer = await runs.work(runId, { leaseMs: 30_000 }, async (run) => {
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
   * Creates a run and works on it, as {@link RunEvents.create} and {@link RunEvents.work} do, but in one step: the run is claimed from
   * its first moment. So there is always a worker, or a lease that expires, to end it. If the owner already has the run, it is claimed.
   * @returns when the run is claimed: its id, and `done`, which is what {@link RunEvents.work} answers or throws. A rejection of `done`
   * may be ignored
   * @throws RunEventsError as {@link RunEvents.create}; `claimed` (with `expiresAt`) or `run_finished` for a run that exists
   * @see clause W36 in `WIRE.md` of `@tm/run-events-http`, clause S26 in `STORE.md`
   *
   * @example
   * const { runId, done } = await runs.start({ ownerId: "ada", leaseMs: 30_000 }, async (run) => {
   *   await run.emit("TOKEN", "Hello");
   *   return { words: 1 };
   * });
   * await done;
   */
  start<Value>(
    run: Parameters<RunEvents["create"]>[0] & WorkOptions,
    task: (run: WorkedRun) => Value | Promise<Value>,
  ): Promise<{ readonly runId: string; readonly done: Promise<Value> }>;
  /**
   * Resolves if the store could take an append now: it writes something small as durably as an append, into no run.
   * @throws RunEventsError `store_unavailable`, with why no append could land, or if the store did not answer in `timeoutMs`;
   * `invalid_request`
   * @see clause S31 in `STORE.md`
   */
  probe(options?: ProbeOptions): Promise<void>;
  /**
   * Ends every tail, shuts down all work and waits for it, and lets the appends and reads under way end. Then it closes the store,
   * whose `close` decides about other calls under way, such as a claim. Idempotent.
   *
   * It has no time limit: if the store never answers, it does not end either. Give the driver time limits, and let a process with a
   * deadline exit then: appends without an acknowledgement may have landed.
   * @see clause S18 in `STORE.md`
   */
  close(): Promise<void>;
}

/**
 * Makes runs over a store: the entry point of this package.
 * @throws TypeError for a value that is not a store, or limits that are not numbers of 1 or more
 *
 * @example
 * const runs = createRunEvents({ store: createMemoryStore() });
 * const { runId } = await runs.create({ ownerId: "ada" });
 * await runs.append(runId, [{ eventType: "RUN_STARTED" }, { eventType: "RUN_COMPLETED", payload: { answer: 42 } }]);
 * for await (const event of runs.tail(runId)) console.log(event.sequence, event.eventType, event.payload);
 */
export function createRunEvents(options: RunEventsOptions): RunEvents {
  const { log, followers, watches, closing, listener } = openRunLog(options);
  const accessFor = (owner: OwnerOption): RunAccess =>
    observedAccess(createLogAccess(options.store, log, owner, closing.signal), listener);
  const runs: Omit<RunEvents, "as"> = {
    log,
    create: async (run) => snapshotOf((await log.createRun(run)).run),
    append: (runId, events, conditions) => log.append(runId, events, conditions),
    input: (runId, payload, conditions) => log.input(runId, payload, conditions),
    read: async (runId, page) => pageOf(await log.readPage(runId, page)),
    async *tail(runId, tailOptions) {
      const plain = tailSlices(followers, runId, tailOptions);
      const slices =
        listener === null
          ? plain
          : observeTail(plain, runId, tailOptions, log.clock, listener.report);
      for await (const slice of slices) yield* slice.events.map(eventOf);
    },
    watch: (which) => watchList(watches, which),
    get: async (runId, owner) => snapshotOf(await log.getRun(runId, owner)),
    async list(which) {
      checkOptions(which, "{ ownerId }");
      const { ownerId, topic = null, limit = 50 } = which;
      const { status: runStatus = null, cursor: before = null } = which;
      const { runs, next } = await log.listRuns({ ownerId, runStatus, topic, before, limit });
      return { runs: runs.map(snapshotOf), nextCursor: next };
    },
    cancel: async (runId, owner) => snapshotOf(await log.cancel(runId, owner)),
    delete: (runId, owner) => log.deleteRun(runId, owner),
    claim: async (runId, lease) => claimOf(await log.claim(runId, lease)),
    renew: async (runId, fence, lease) => claimOf(await log.renew(runId, fence, lease)),
    release: async (runId, fence, owner) => void (await log.release(runId, fence, owner)),
    async work(runId, workOptions, task) {
      checkOptions(workOptions, "{ leaseMs }");
      const access = accessFor(workOptions);
      return closing.hold(runWork(access, runId, workOptions, task));
    },
    async start(run, task) {
      checkOptions(run, "{ ownerId, leaseMs }");
      const { ownerId, runId, metadata, topic, exclusive } = run;
      const access = accessFor({ ownerId });
      // Without a lease the creation would claim nothing.
      checkLease(run.leaseMs);
      const begin: Parameters<typeof startWork>[1] = async (leaseMs, worker) =>
        claimedRun(
          (await log.createRun({ ownerId, runId, metadata, topic, exclusive, leaseMs, worker }))
            .run,
        );
      const started = startWork(access, begin, run, task);
      // Closing waits for the work.
      closing.hold(started.then(({ done }) => done)).catch(() => {});
      return started;
    },
    reap: (which) => log.reap(which),
    purge: (which) => log.purge(which),
    probe: (options) => log.probe(options),
    close: () => log.close(),
  };
  return { ...runs, as: (ownerId) => ownedRuns(runs, ownerId) };
}
