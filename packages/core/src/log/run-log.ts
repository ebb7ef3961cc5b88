import type { Followers } from "../follow/followers.ts";
import type { Watches } from "../follow/watches.ts";
import { hasBrand, RUN_LOG } from "../rules/brand.ts";
import type { EventDraft } from "../rules/event.ts";
import type { ReaderStart } from "../rules/history.ts";
import type { AppendLimits } from "../rules/lifecycle.ts";
import type { OwnerOption } from "../rules/owner.ts";
import type { LogPage } from "../rules/page.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListedRuns } from "../rules/run-list.ts";
import type { Listener, Report, Telemetry } from "../rules/telemetry.ts";
import type { OwnerQuery, RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import type { Probe } from "../upkeep/probe.ts";
import type { Upkeep } from "../upkeep/upkeep.ts";
import type { Stalls } from "../upkeep/watched-store.ts";
import type { Closing } from "./closing.ts";
import type { CreateOptions } from "./create-options.ts";
import type { Leases } from "./leases.ts";

/** Settings of `createRunLog` and `createRunEvents`. */
export interface RunEventsOptions {
  /** The store of the runs. `close` closes it. */
  readonly store: RunEventStore;
  /**
   * The most UTF-8 bytes of one payload's JSON text, and of a run's metadata.
   * @defaultValue 262,144
   * @see clause W9 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly maxPayloadBytes?: number;
  /**
   * The most events of one append, if the store takes as many in one call.
   * @defaultValue 1,000
   * @see clause W9 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly maxBatchEvents?: number;
  /**
   * The clock and timers of tails, streams and leases.
   * @defaultValue the host's own
   */
  readonly clock?: Clock;
  /**
   * Listens to what this log, its store and its handlers do: appends, work, tails, lost connections. `@tm/run-events-otel` makes one for
   * OpenTelemetry. Of two logs on one store, each listener gets the work of its own log, and what the store reports.
   * @defaultValue nothing listens, and nothing is measured
   */
  readonly telemetry?: Telemetry | undefined;
}

/** The conditions that every append may have, also one under a lease. */
export interface WorkAppendOptions {
  /**
   * Makes the append safe to repeat: the same events under the same key land once. 1 to 128 printable ASCII characters.
   * @see clause W10 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * Refuses the append unless the run's `lastSequence` is this. Without it, the append lands at any sequence.
   * @see clause W11 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly expectedSequence?: number | undefined;
}

/** Conditions of an append. */
export interface AppendOptions extends OwnerOption, WorkAppendOptions {
  /**
   * The fence of the caller's lease. Without it, a claimed run refuses the append.
   * @see clause W32 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly fence?: number | undefined;
}

/** The page of a run's log to read. */
export interface PageOptions extends OwnerOption, ReaderStart {
  /**
   * The most events, 1 or more.
   * @defaultValue 500
   */
  readonly limit?: number;
  /**
   * The most bytes of the events together, 1 or more. A page holds at least one event, even a larger one.
   * @defaultValue 4,194,304
   * @see clause S9 in `STORE.md`
   */
  readonly maxBytes?: number;
}

/** The list to follow. */
export interface WatchOptions {
  readonly ownerId: string;
  /**
   * Only runs of this topic.
   * @defaultValue runs of all topics
   */
  readonly topic?: string | null | undefined;
  /** Ends the loop at any time: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The list to read. */
export interface ReadListOptions extends WatchOptions {
  /** The version of the list that the caller has. */
  readonly have?: string | null | undefined;
  /**
   * Whether each run comes with its last event.
   * @defaultValue `false`
   */
  readonly last?: boolean | undefined;
  /**
   * Whether to wait for a change while the list has this version.
   * @defaultValue `false`
   */
  readonly waits?: boolean | undefined;
}

/** The log of a store's runs with payloads, phases and metadata as JSON text: a server passes them on without parsing. */
export interface RunLog extends Leases, Upkeep {
  readonly clock: Clock;
  readonly limits: AppendLimits;
  /**
   * Creates a run, or answers the owner's run with that id. With `leaseMs` it also claims that run in the same step: the answer has
   * its fence and the end of its lease. Such a creation whose answer is lost is sent again under its key for up to 10 s.
   * @throws RunEventsError `invalid_request`, `payload_too_large`, `store_unavailable`; with `exclusive` also `topic_busy`
   * (with `runId`); with `leaseMs` also `claimed` and `run_finished`, if the run exists
   * @see clauses W8, W35 and W36 in `WIRE.md` of `@tm/run-events-http`, clause S16 in `STORE.md`
   */
  createRun(
    run: CreateOptions & {
      /** As in `ClaimOptions`. Without it, the run is not claimed. */
      readonly leaseMs?: number | undefined;
      /** As in `ClaimOptions`. Only with `leaseMs`. */
      readonly worker?: string | null | undefined;
      /** As in `ClaimOptions`. Only with `runId`, and only a claim uses it. */
      readonly idempotencyKey?: string | undefined;
    },
  ): Promise<{
    readonly created: boolean;
    readonly run: RunRecord;
  }>;
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
   * and leaves the lease of a worker that has the run as it is: `run.inputs` and `run.ask` of its `WorkedRun` get the payload. Only
   * this call appends `INPUT_RECEIVED`.
   * @param payload any JSON value
   * @throws RunEventsError `not_found`, `idempotency_key_reused`, `run_finished`, `sequence_conflict`, `invalid_request`,
   * `invalid_event`, `payload_too_large`, `store_unavailable` (with `ambiguous` if it may have landed)
   * @see clauses W38 and W39 in `WIRE.md` of `@tm/run-events-http`
   */
  input(
    runId: string,
    payload: unknown,
    options: OwnerOption & WorkAppendOptions,
  ): Promise<AppendReceipt>;
  /** As `read` of `RunEvents`, with the run's head at the same instant, without its metadata. */
  readPage(runId: string, options: PageOptions): Promise<LogPage & { readonly run: RunRecord }>;
  /**
   * The cursor this many events before the end of the run: 0 if it has no more.
   * @throws RunEventsError `not_found`, `invalid_request`, `store_unavailable`
   * @see clause W45 in `WIRE.md` of `@tm/run-events-http`
   */
  tailStart(runId: string, tail: number, options: OwnerOption): Promise<number>;
  /**
   * Resolves once the run has an event after `since`, or has finished.
   * @throws RunEventsError as `read` of `RunEvents`
   * @throws the signal's reason
   */
  waitFor(
    runId: string,
    options: OwnerOption & {
      readonly since: number;
      readonly at?: string | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<void>;
  /** As `get` of `RunEvents`. */
  getRun(runId: string, options: OwnerOption): Promise<RunRecord>;
  /** As `list` of `RunEvents`. `next` is the `before` of the next page, `null` after the last run. */
  listRuns(
    query: OwnerQuery,
  ): Promise<{ readonly runs: readonly RunRecord[]; readonly next: number | null }>;
  /**
   * Reads an owner's list as of a time after this call: the newest 1,000 live runs, with 4 MiB of metadata and last events at most, and the
   * newest 50. All readers of the list in this process share its looks at the store.
   * @throws RunEventsError `invalid_request`, `store_unavailable`
   * @throws the signal's reason
   * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
   */
  readList(options: ReadListOptions): Promise<ListedRuns>;
  /** As `cancel` of `RunEvents`. It needs no fence, even if a worker has the run. */
  cancel(runId: string, options: OwnerOption): Promise<RunRecord>;
  /** As `delete` of `RunEvents`. */
  deleteRun(runId: string, options: OwnerOption): Promise<void>;
  /**
   * Resolves if the store could take an append now: it writes something small as durably as an append, into no run.
   * @throws RunEventsError `store_unavailable`, with why no append could land, or if the store did not answer in `timeoutMs`;
   * `invalid_request`
   * @see clause S31 in `STORE.md`
   */
  readonly probe: Probe;
  /**
   * Ends every reader, shuts down all work and waits for it, and lets the writes and reads under way end. Then it closes the store.
   * Idempotent.
   *
   * It has no time limit: if the store never answers, it does not end either. Give the driver time limits, and let a process with a
   * deadline exit then: appends without an acknowledgement may have landed.
   * @see clause S18 in `STORE.md`
   */
  close(): Promise<void>;
}

/** Whether the value is a {@link RunLog}, of this copy of the package or of another. */
export function isRunLog(value: unknown): value is RunLog {
  return hasBrand(value, RUN_LOG);
}

/** The members of a log that only this package uses. */
export interface LogParts {
  /** All readers of a run in a process share one follower. */
  readonly followers: Followers;
  readonly watches: Watches;
  readonly closing: Closing;
  /** `null` if nothing listens. */
  readonly listener: Listener | null;
  /** The watches of the store. They watch nothing until `stallsOf` starts them. */
  readonly stalls: Stalls;
}

/** The parts of a log. It keeps them under its brand, so that users do not see them, and another copy of the package finds them. */
export function partsOf(log: RunLog): LogParts {
  return (log as RunLog & { readonly [RUN_LOG]: LogParts })[RUN_LOG];
}

/** The function that reports the diagnostics of a log; `null` if nothing listens. For servers over the log. */
export function reportOf(log: RunLog): Report | null {
  return partsOf(log).listener?.report ?? null;
}

/**
 * Watches the store of a log from now on, until the log is closed: whether it takes reads, and whether it takes writes. For servers on top
 * of the log, such as those that use `failFast`.
 * @see clause S31 in `STORE.md`
 */
export function stallsOf(log: RunLog): Stalls {
  const { reads, writes } = partsOf(log).stalls;
  return { reads: reads.start(), writes: writes.start() };
}
