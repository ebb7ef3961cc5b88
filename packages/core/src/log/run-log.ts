import type { Followers } from "../follow/followers.ts";
import { hasBrand, RUN_LOG } from "../rules/brand.ts";
import type { EventDraft } from "../rules/event.ts";
import type { AppendLimits } from "../rules/lifecycle.ts";
import type { OwnerOption } from "../rules/owner.ts";
import type { LogPage } from "../rules/page.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListQuery, RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import type { Probe } from "../upkeep/probe.ts";
import type { Upkeep } from "../upkeep/upkeep.ts";
import type { Leases } from "./leases.ts";

/** Settings of `createRunLog` and `createRunEvents`. */
export interface RunEventsOptions {
  readonly store: RunEventStore;
  /** The most UTF-8 bytes of one payload's JSON text. Default 262,144. @see W9 */
  readonly maxPayloadBytes?: number;
  /** The most events of one append. Default 1,000. @see W9 */
  readonly maxBatchEvents?: number;
  /** Time for tails and streams. Default the host's. */
  readonly clock?: Clock;
}

/** Conditions of an append. */
export interface AppendOptions extends OwnerOption {
  /** 1 to 128 printable ASCII characters: the same key with the same events gives the original receipt. @see W10 */
  readonly idempotencyKey?: string | undefined;
  /** Refuse unless the run's `lastSequence` is this. @see W11 */
  readonly expectedSequence?: number | undefined;
  /** The fence of the lease that the caller has; without it a claimed run takes nothing. @see W32 */
  readonly fence?: number | undefined;
}

/** Which page of a run's log. */
export interface PageOptions extends OwnerOption {
  /** The last sequence the reader has. Default 0. */
  readonly since?: number;
  /** The most events. Default 500. */
  readonly limit?: number;
  /** The most bytes of the events together, but for a single one. Default 4,194,304. @see S9 */
  readonly maxBytes?: number;
}

/** The log of a store's runs with payloads, phases and metadata as JSON text: what a server passes on without looking. */
export interface RunLog extends Leases, Upkeep {
  readonly clock: Clock;
  readonly limits: AppendLimits;
  createRun(run: {
    readonly runId?: string | undefined;
    readonly ownerId: string;
    readonly metadata?: unknown;
  }): Promise<{
    readonly created: boolean;
    readonly run: RunRecord;
  }>;
  append(
    runId: string,
    events: readonly EventDraft[],
    options?: AppendOptions,
  ): Promise<AppendReceipt>;
  /** @throws RunEventsError `not_found`, `cursor_ahead`, `store_unavailable`. @see W15, W16 */
  readPage(runId: string, options?: PageOptions): Promise<LogPage & { readonly run: RunRecord }>;
  /** Resolves once the run's log goes on behind `since`, or the run has ended. @throws as `readPage`, or the signal's reason. */
  waitFor(
    runId: string,
    options: OwnerOption & { readonly since: number; readonly signal: AbortSignal },
  ): Promise<void>;
  getRun(runId: string, options?: OwnerOption): Promise<RunRecord>;
  /** Newest first. `next` is the `before` of the page after, `null` behind the last run. */
  listRuns(
    query: ListQuery,
  ): Promise<{ readonly runs: readonly RunRecord[]; readonly next: number | null }>;
  /** Ends the run as cancelled unless it has ended already, whoever has it: no fence is needed. @see W13, S22 */
  cancel(runId: string, options?: OwnerOption): Promise<RunRecord>;
  /** @throws RunEventsError `not_found`, `run_active`. @see W14 */
  deleteRun(runId: string, options?: OwnerOption): Promise<void>;
  /** As `RunEvents.probe`. @see S31 */
  readonly probe: Probe;
  /**
   * Ends every reader, shuts down all work and waits for it, lets the appends and reads under way end, then closes the store, whose `close`
   * decides over other calls under way, such as a claim. Idempotent.
   *
   * It has no time limit: if the store never answers, it does not end either. Give the driver time limits, and let a process that has
   * to go by a deadline exit then: what was not acknowledged may have landed.
   * @see S18
   */
  close(): Promise<void>;
}

/** Whether the value is a `RunLog`, of this copy of the package or of another. */
export function isRunLog(value: unknown): value is RunLog {
  return hasBrand(value, RUN_LOG);
}

/**
 * The followers of a log: all readers of a run in a process share one. A log keeps them under its brand. So users do not see them,
 * and another copy of the package finds them.
 */
export function followersOf(log: RunLog): Followers {
  return (log as RunLog & { readonly [RUN_LOG]: Followers })[RUN_LOG];
}
