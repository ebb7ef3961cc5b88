import { createCommitIds } from "../log/own-keys.ts";
import { tailSlices } from "../follow/tail.ts";
import { partsOf, type RunLog, type WorkAppendOptions } from "../log/run-log.ts";
import { isStoreClosed, runFinished } from "../rules/errors.ts";
import { encodeTime } from "../rules/encode-time.ts";
import type { EventDraft, RunEvent } from "../rules/event.ts";
import { type AppendLimits, INPUT_RECEIVED, isTerminal } from "../rules/lifecycle.ts";
import type { OwnerOption } from "../rules/owner.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { RunRecord } from "../rules/run.ts";
import { eventOf, pageOf, type RunEventsPage } from "../wire/run-values.ts";
import { shownState } from "../rules/shown-state.ts";
import type { RunEventStore, Subscription } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { persist } from "../time/persist.ts";
import { type StoredEndWatcher, watchStoredEnd } from "./watch-end.ts";
import { isInDoubt, mayLandLater } from "./work-failures.ts";

export interface ClaimedRun {
  readonly runId: string;
  readonly fence: number;
  readonly lastSequence: number;
  /** The `createdAt` of the event `lastSequence`, if there is one. @see clause W46 in `WIRE.md` of `@tm/run-events-http` */
  readonly at: string | undefined;
  /** The run's metadata as JSON text, for `telemetry`. Missing if the claim did not have it. */
  readonly metadata?: string | undefined;
}

/** An event that a worker knows: its sequence, and its `createdAt` if that is known. */
export interface KnownEvent {
  readonly since: number;
  readonly at: string | undefined;
}

/** The operations that a worker needs of a store in this process, or of a server. Each call rejects with a RunEventsError. */
export interface RunAccess {
  readonly clock: Clock;
  readonly limits: AppendLimits;
  /** Aborts when the store or the client closes, which is a shutdown for each worker. */
  readonly closing: AbortSignal;
  claim(runId: string, leaseMs: number, worker: string | null): Promise<ClaimedRun>;
  renew(runId: string, fence: number, leaseMs: number): Promise<unknown>;
  release(runId: string, fence: number): Promise<unknown>;
  append(
    runId: string,
    events: readonly EventDraft[],
    options: WorkAppendOptions & { readonly fence: number },
  ): Promise<AppendReceipt>;
  /**
   * Sends emitted events, and sends them again while that may help.
   * @param send makes one append. It rejects once the lease is over
   * @param isShutDown whether the worker has to stop
   */
  insist(
    send: (idempotencyKey?: string) => Promise<unknown>,
    isShutDown: () => boolean,
  ): Promise<unknown>;
  /**
   * Reads the event with this sequence, if the log has it, and the log's last sequence.
   * @throws RunEventsError `cursor_ahead` if the log ends two or more events before this sequence
   */
  read(
    runId: string,
    sequence: number,
    signal: AbortSignal,
  ): Promise<Pick<RunEventsPage, "events" | "lastSequence">>;
  /**
   * Follows the inputs of the run after an event. It never ends by itself.
   * @throws RunEventsError `run_finished` once the run has ended; `history_changed` once the log has lost that event, or an input that was
   * read after it
   * @throws the signal's reason
   * @see clauses W40 and W46 in `WIRE.md` of `@tm/run-events-http`
   */
  inputs(runId: string, after: KnownEvent, signal: AbortSignal): AsyncIterable<RunEvent>;
  /**
   * Watches for the end of the run.
   * @returns a subscription. Its `ready` does not reject, and waits for a first check of the run
   */
  watchEnd(runId: string, watcher: StoredEndWatcher): Subscription;
}

export function claimedRun(run: RunRecord): ClaimedRun {
  const { runId, fence, lastSequence, updatedAtMs, metadata } = run;
  const at = lastSequence === 0 ? undefined : encodeTime(updatedAtMs);
  return { runId, fence, lastSequence, at, metadata };
}

/**
 * Makes the access of workers to the runs of a store in the same process.
 * @param owner whose runs they work on
 * @param closing aborts when the log closes
 */
export function createLogAccess(
  store: Pick<RunEventStore, "capabilities" | "subscribe">,
  log: RunLog,
  { ownerId }: OwnerOption,
  closing: AbortSignal,
): RunAccess {
  // An event in doubt is sent again only under a key.
  const newKey = store.capabilities.losesAnswers ? createCommitIds() : null;
  const owner = { ownerId };
  return {
    clock: log.clock,
    limits: log.limits,
    closing,
    insist(send, isShutDown) {
      const key = newKey?.();
      const isEnough = (error: unknown): boolean => {
        const isSafe = key !== undefined || !isInDoubt(error);
        return !mayLandLater(error) || isStoreClosed(error) || !isSafe || isShutDown();
      };
      return persist(() => send(key), log.clock, isEnough);
    },
    claim: async (runId, leaseMs, worker) =>
      claimedRun(await log.claim(runId, { ...owner, leaseMs, worker })),
    renew: (runId, fence, leaseMs) => log.renew(runId, fence, { ...owner, leaseMs }),
    release: (runId, fence) => log.release(runId, fence, owner),
    append: (runId, events, conditions) => log.append(runId, events, { ...owner, ...conditions }),
    read: async (runId, sequence) =>
      pageOf(await log.readPage(runId, { ...owner, since: sequence - 1, limit: 1 })),
    async *inputs(runId, after, signal) {
      const slices = tailSlices(partsOf(log).followers, runId, { ...owner, ...after, signal });
      for await (const { events, head, to } of slices) {
        for (const event of events) if (event.eventType === INPUT_RECEIVED) yield eventOf(event);
        const { runStatus } = shownState(head, to.sequence);
        if (isTerminal(runStatus)) throw runFinished(runStatus, to.sequence);
      }
    },
    watchEnd: (runId, watcher) => watchStoredEnd(store, log, runId, owner, watcher),
  };
}
