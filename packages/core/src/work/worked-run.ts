import type { EventDraft } from "../rules/event.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { WorkAppendOptions } from "./run-access.ts";

/** A run that is worked on. Events land in the order of the calls. */
export interface WorkedRun {
  readonly runId: string;
  readonly fence: number;
  /** The sequence of the last event at the claim, 0 if there was none: where to go on from. */
  readonly lastSequence: number;
  /**
   * Aborts when the worker is to stop. The reason says why: a `RunEventsError` `fenced` (the lease is lost) or `run_finished`
   * (somebody else ended the run, as by `cancel`; with `details.runStatus`); why an emitted event was not appended; or the
   * reason of the shutdown, in which case the run is still the worker's to write.
   */
  readonly signal: AbortSignal;
  /**
   * Appends all of the events or none, under the lease.
   * @throws RunEventsError as `RunEvents.append`; once the run is no longer the worker's at once: `fenced` or `run_finished`;
   * why an event emitted before could not be appended
   */
  append(events: readonly EventDraft[], options?: WorkAppendOptions): Promise<AppendReceipt>;
  /**
   * Takes one event of many, such as a token, without a wait for its append. While an append is on its way, emitted events gather
   * for the next. While the store is away they are sent again, as long as the lease lasts. An event that cannot be appended, such as
   * a payload that is too large, aborts `signal`, and `work` rejects with the reason.
   * @returns a promise that resolves when there is room for more: at once, unless 1 MiB waits. A task that never awaits it may have
   * 64 MiB waiting. Its rejection may be ignored
   */
  emit(eventType: string, payload?: unknown): Promise<void>;
  /** Appends `PHASE_STARTED`. @throws as `append` */
  phase(name: string): Promise<AppendReceipt>;
}
