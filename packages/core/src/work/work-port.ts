import { createOwnKeys } from "../log/own-keys.ts";
import type { AppendOptions, RunLog } from "../log/run-log.ts";
import type { EventDraft } from "../rules/event.ts";
import type { AppendLimits } from "../rules/lifecycle.ts";
import type { OwnerOption } from "../rules/owner.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { RunEventStore, Watch } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { type EndWatcher, watchStoredEnd } from "./watch-end.ts";

/** What an append of a worker may ask for. @see W10, W11 */
export type WorkAppendOptions = Pick<AppendOptions, "idempotencyKey" | "expectedSequence">;

/** What is between a worker and its run: a store in this process, or a server. Each call @throws RunEventsError. */
export interface WorkPort {
  readonly clock: Clock;
  readonly limits: AppendLimits;
  /** Aborts when the port is to close, which is a shutdown for each worker. */
  readonly closing: AbortSignal;
  claim(
    runId: string,
    leaseMs: number,
  ): Promise<{ readonly fence: number; readonly lastSequence: number }>;
  renew(runId: string, fence: number, leaseMs: number): Promise<unknown>;
  release(runId: string, fence: number): Promise<unknown>;
  append(
    runId: string,
    events: readonly EventDraft[],
    options: WorkAppendOptions & { readonly fence: number },
  ): Promise<AppendReceipt>;
  /**
   * Makes keys for emitted events, where the store may lose an acknowledgement: an event in doubt is then sent again for as long
   * as the lease lasts. Without it, only the port's own `append` sends an event in doubt again.
   */
  readonly newKey?: (() => string) | undefined;
  /** @returns a watch whose `ready` does not reject, and waits for a first look */
  watchEnd(runId: string, watcher: EndWatcher): Watch;
}

/**
 * What is between a worker and a store in the same process.
 * @param options whose runs it may work on
 * @param closing aborts when the log is to close
 */
export function createLogPort(
  store: Pick<RunEventStore, "capabilities" | "watch">,
  log: RunLog,
  options: OwnerOption,
  closing: AbortSignal,
): WorkPort {
  const owner: OwnerOption = "ownerId" in options ? { ownerId: options.ownerId } : {};
  return {
    clock: log.clock,
    limits: log.limits,
    closing,
    newKey: store.capabilities.losesAcknowledgements ? createOwnKeys() : undefined,
    claim: (runId, leaseMs) => log.claim(runId, { ...owner, leaseMs }),
    renew: (runId, fence, leaseMs) => log.renew(runId, fence, { ...owner, leaseMs }),
    release: (runId, fence) => log.release(runId, fence, owner),
    append: (runId, events, conditions) => log.append(runId, events, { ...owner, ...conditions }),
    watchEnd: (runId, watcher) => watchStoredEnd(store, log, runId, owner, watcher),
  };
}
