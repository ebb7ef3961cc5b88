import type { Clock } from "./clock.ts";
import type { EventDraft } from "./event.ts";
import type { AppendLimits } from "./lifecycle.ts";
import type { AppendReceipt } from "./receipt.ts";
import type { AppendOptions } from "./run-log.ts";
import type { Watch } from "./store.ts";

/** What an append of a worker may ask for. @see W10, W11 */
export type WorkAppendOptions = Pick<AppendOptions, "idempotencyKey" | "expectedSequence">;

/** A worker that wants to know when somebody else ends its run. */
export interface EndWatcher {
  /** How many appends of the worker have landed. */
  readonly landings: () => number;
  /** Told that the run has ended, or is gone; may be told again, and of an end that is the worker's own. */
  readonly onEnd: (refusal: unknown) => void;
}

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
