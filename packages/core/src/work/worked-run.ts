import type { EventDraft, RunEvent } from "../rules/event.ts";
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
   * Aborts when the worker has to stop. The reason is one of these:
   *
   * - a `RunEventsError` `fenced`: the lease is lost
   * - a `RunEventsError` `run_finished`, with `details.runStatus`: another program ended the run, as by `cancel`
   * - a `RunEventsError` `history_changed`: the log has lost events of this worker, or inputs that it got
   * - the error of an emitted event that was not appended
   * - the reason of a shutdown. Then the task may still write to the run, and `complete` it
   *
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly signal: AbortSignal;
  /**
   * Appends all of the events or none, under the lease.
   * @throws RunEventsError `fenced`, `run_finished` or `history_changed`, at once if the worker has to stop for it; `not_found`,
   * `idempotency_key_reused`, `sequence_conflict`, `invalid_request`, `invalid_event`, `payload_too_large`, `store_unavailable`; the error
   * of an earlier emitted event that could not be appended
   */
  append(events: readonly EventDraft[], options?: WorkAppendOptions): Promise<AppendReceipt>;
  /**
   * Takes one event of many, such as a token, without a wait for its append. While an append is under way, emitted events gather for
   * the next one. While the store is away, they are sent again as long as the lease lasts. An event that cannot be appended, such as
   * a payload that is too large, aborts `signal`, and `work` rejects with the reason.
   * @returns a promise that resolves when there is room for more: at once, unless 1 MiB waits. If a task never awaits it, at most
   * 64 MiB may wait. Its rejection may be ignored
   */
  emit(eventType: string, payload?: unknown): Promise<void>;
  /**
   * Appends the emitted events that wait, without the rest of `mergeMs`: so the first token of an answer shows at once.
   * @returns a promise that resolves when all events so far have landed
   * @throws RunEventsError as {@link WorkedRun.append}; the error of an emitted event that could not be appended
   */
  flush(): Promise<void>;
  /**
   * Appends `PHASE_STARTED` with this phase.
   * @throws RunEventsError as {@link WorkedRun.append}
   */
  phase(name: string): Promise<AppendReceipt>;
  /**
   * Iterates over the inputs of the run after `since`, in order: each as the event `INPUT_RECEIVED` of the log. It waits for new inputs. It
   * ends when `signal` aborts, when the run ends or is parked, or when the task is over. If the log loses the last event at the claim, or an
   * input that the iteration has given, `signal` aborts with `history_changed`.
   * @param options.since the last sequence that the task knows. Default: `lastSequence`, so that the first input is the first one after
   * the claim
   * @throws RunEventsError `invalid_cursor`, `cursor_ahead`, `store_unavailable`
   * @see clause W40 in `WIRE.md` of `@tm/run-events-http`
   */
  inputs(options?: { readonly since?: number | undefined }): AsyncIterable<RunEvent>;
  /**
   * Asks a person: appends `INPUT_REQUESTED` after all events so far, and waits for the next input after it. Meanwhile the run is `waiting`,
   * and the worker keeps its lease. Questions take turns: a question is asked when the one before it has been answered or given up.
   * @param payload the question, any JSON value
   * @param options.signal gives the question up. If it has been appended, the run still waits for an input
   * @returns the event `INPUT_RECEIVED` of the answer
   * @throws the reason of `options.signal` or of {@link WorkedRun.signal}, whichever aborts first
   * @throws RunEventsError as {@link WorkedRun.append}
   * @see clause W40 in `WIRE.md` of `@tm/run-events-http`
   */
  ask(
    payload?: unknown,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<RunEvent>;
  /**
   * Releases the run after all events so far, without ending it. Return from the task after this call. `work` resolves
   * with what the task returns, such as the value of this call. The worker that claims the run after the input goes on from its log.
   *
   * To park a run until a person answers, append `INPUT_REQUESTED` first. Do not use `ask` for this question: `ask` needs the lease, and each
   * of its questions must have been answered, or given up by its signal.
   *
   * After the call the task can no longer use the run: each call is `fenced`, and if an event is emitted, `work` rejects. If the run cannot be
   * released while the lease lasts, `work` rejects, and the lease expires.
   * @returns where the log ended, as far as this worker knows: an input may have come meanwhile
   * @throws TypeError while a question of {@link WorkedRun.ask} is open
   * @throws RunEventsError as {@link WorkedRun.append}
   * @see clause W40 in `WIRE.md` of `@tm/run-events-http`
   */
  park(): Promise<{ readonly parked: true; readonly lastSequence: number }>;
  /**
   * Ends the run as completed, after all events so far. A task that returns does the same, unless a shutdown has aborted `signal`: an
   * answer that was cut off by it must not pass for a whole one.
   * @throws RunEventsError as {@link WorkedRun.append}
   * @see clause W42 in `WIRE.md` of `@tm/run-events-http`
   */
  complete(value?: unknown): Promise<AppendReceipt>;
}
