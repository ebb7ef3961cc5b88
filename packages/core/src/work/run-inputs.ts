import { checkCursor } from "../rules/cursor.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { RunEvent } from "../rules/event.ts";
import { historyChanged } from "../rules/history.ts";
import type { SealedDraft } from "../rules/lifecycle.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import { abortable } from "../time/held.ts";
import type { KnownEvent, RunAccess } from "./run-access.ts";
import { endsWork, parkedWhileAsking } from "./work-failures.ts";

export interface RunInputsOptions {
  readonly access: Pick<RunAccess, "read" | "inputs">;
  readonly runId: string;
  /** Appends a request for input, after all events so far. */
  readonly request: (draft: SealedDraft) => Promise<AppendReceipt>;
  /** Called with `run_finished` when the log has shown the run's end, and with `history_changed` when the log has lost its last events. */
  readonly onEnd: (reason: unknown) => void;
  /** The last event at the claim. */
  readonly claimed: KnownEvent;
  /** Aborts when the worker has to stop, or no longer has the run. */
  readonly stopped: AbortSignal;
}

/**
 * The inputs that a task gets, from the log. Questions take turns: a question is asked when the one before it has been answered or given
 * up. So an input answers one question.
 *
 * A log may lose its end, and other programs may append there. So inputs are followed from an event whose time is known; for a question
 * this is the question itself. If the log has lost that event, the worker notices it, and takes no input of the other history.
 * @see clauses W40 and W46 in `WIRE.md` of `@tm/run-events-http`
 */
export class RunInputs {
  readonly #options: RunInputsOptions;
  /** All questions so far. Never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  #open = 0;

  constructor(options: RunInputsOptions) {
    this.#options = options;
  }

  /**
   * Checks that no question is open.
   * @throws TypeError while a question is neither answered nor given up
   */
  checkAnswered(): void {
    if (this.#open > 0) throw parkedWhileAsking();
  }

  /** Iterates over the inputs after a sequence, until the worker has to stop or no longer has the run. */
  async *iterate(since: number = this.#options.claimed.since): AsyncGenerator<RunEvent, void> {
    checkCursor(since);
    const { stopped, claimed } = this.#options;
    const after = since === claimed.since ? claimed : { since, at: undefined };
    try {
      if (!stopped.aborted) yield* this.#follow(after, stopped);
    } catch (error) {
      if (!stopped.aborted && !endsWork(error)) throw error;
    }
  }

  /**
   * Asks, and waits for the next input.
   * @param signal gives the question up, also one that waits for its turn
   */
  async ask(draft: SealedDraft, signal: AbortSignal | undefined): Promise<RunEvent> {
    const { stopped } = this.#options;
    const over = signal === undefined ? stopped : AbortSignal.any([signal, stopped]);
    over.throwIfAborted();
    const answered = this.#turn.then(() => this.#askNow(draft, over));
    this.#turn = answered.catch(() => {});
    this.#open += 1;
    try {
      return await abortable(answered, over);
    } finally {
      this.#open -= 1;
    }
  }

  async *#follow(
    after: KnownEvent | Promise<KnownEvent>,
    signal: AbortSignal,
  ): AsyncGenerator<RunEvent, void> {
    const { access, runId, onEnd } = this.#options;
    try {
      yield* access.inputs(runId, await after, signal);
    } catch (error) {
      if (!signal.aborted && endsWork(error)) onEnd(error);
      throw error;
    }
  }

  async #askNow(draft: SealedDraft, signal: AbortSignal): Promise<RunEvent> {
    signal.throwIfAborted();
    const { lastSequence: since } = await this.#options.request(draft);
    // After the request, and not after what the read of it has shown: an input may have come before the read.
    for await (const input of this.#follow(this.#find(draft, since, signal), signal)) return input;
    throw new TypeError("Expected inputs to be followed until one comes, got an end.");
  }

  /** Finds the time of a request that has landed. */
  async #find(draft: SealedDraft, since: number, signal: AbortSignal): Promise<KnownEvent> {
    const { access, runId } = this.#options;
    try {
      const { events, lastSequence } = await access.read(runId, since, signal);
      const [event] = events;
      if (event === undefined || !isOf(event, draft)) throw historyChanged(lastSequence);
      return { since, at: event.createdAt };
    } catch (error) {
      if (!(error instanceof RunEventsError) || error.code !== "cursor_ahead") throw error;
      throw historyChanged(error.details.lastSequence ?? 0);
    }
  }
}

function isOf({ eventType, payload }: RunEvent, draft: SealedDraft): boolean {
  const asked: unknown = JSON.parse(draft.payload.text);
  return eventType === draft.eventType && JSON.stringify(payload) === JSON.stringify(asked);
}
