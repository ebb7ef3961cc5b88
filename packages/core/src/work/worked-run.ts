import type { EventDraft } from "../rules/event.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { WorkAppendOptions } from "../log/run-log.ts";

/** A run that a worker works on. Events land in the order of the calls. */
export interface WorkedRun {
  readonly runId: string;
  /** The fence of the worker's lease. */
  readonly fence: number;
  /** The sequence of the last event at the claim, 0 for a new run. Continue after it. */
  readonly lastSequence: number;
  /**
   * Aborts when the worker has to stop. The reason is one of these: a `RunEventsError` `fenced` (the lease is lost) or `run_finished`
   * (another program ended the run, as by `cancel`; with `details.runStatus`); the error of an emitted event that was not appended; or
   * the reason of the shutdown. After a shutdown the task may still write to the run, and `complete` it.
   */
  readonly signal: AbortSignal;
  /**
   * Appends all of the events or none, under the lease.
   * @throws RunEventsError `fenced` or `run_finished`, at once if the worker no longer has the run; `not_found`,
   * `idempotency_key_reused`, `sequence_conflict`, `invalid_request`, `invalid_event`, `payload_too_large`, `store_unavailable`; the error
   * of an earlier emitted event that could not be appended
   */
  append(events: readonly EventDraft[], options?: WorkAppendOptions): Promise<AppendReceipt>;
  /**
   * Takes one event of many, such as a token, without a wait for its append. While an append is on its way, emitted events gather for
   * the next one. While the store is away, they are sent again as long as the lease lasts. An event that cannot be appended, such as
   * a payload that is too large, aborts `signal`, and `work` rejects with the reason.
   * @returns a promise that resolves when there is room for more: at once, unless 1 MiB waits. If a task never awaits it, at most
   * 64 MiB may wait. Its rejection may be ignored
   */
  emit(eventType: string, payload?: unknown): Promise<void>;
  /**
   * Appends `PHASE_STARTED` with this phase.
   * @throws RunEventsError as {@link WorkedRun.append}
   */
  phase(name: string): Promise<AppendReceipt>;
  /**
   * Ends the run as completed, after all events so far. A task that returns does the same, unless a shutdown has aborted `signal`: an
   * answer that was cut off by it must not pass for a whole one.
   * @throws RunEventsError as {@link WorkedRun.append}
   * @see clause W42 in `WIRE.md` of `@tm/run-events-http`
   */
  complete(value?: unknown): Promise<AppendReceipt>;
}
