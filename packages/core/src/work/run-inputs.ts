import { checkCursor } from "../rules/cursor.ts";
import { isFinished } from "./work-failures.ts";
import type { RunEvent } from "../rules/event.ts";
import type { SealedDraft } from "../rules/lifecycle.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import { linkSignals } from "../time/link-signals.ts";

/** What the inputs of a worker need. */
export interface RunInputsOptions {
  /**
   * Follows the inputs of the run after a sequence. It never ends by itself: it throws the signal's reason, or `run_finished` once the
   * run has ended.
   */
  readonly follow: (since: number, signal: AbortSignal) => AsyncIterable<RunEvent>;
  /** Appends a request for input, after all events so far. */
  readonly request: (draft: SealedDraft) => Promise<AppendReceipt>;
  /** Called with `run_finished` when the log has shown the run's end. */
  readonly onEnd: (reason: unknown) => void;
  /** The last sequence at the claim. */
  readonly lastSequence: number;
  /** Aborts when the worker has to stop, or no longer has the run. */
  readonly stopped: AbortSignal;
}

/**
 * The inputs that a task gets, from the log. A question takes its turn: it is asked when the one before it has been answered or given up.
 * So an input answers one question.
 * @see clause W40 in `WIRE.md` of `@tm/run-events-http`
 */
export class RunInputs {
  readonly #options: RunInputsOptions;
  /** All questions so far. Never rejects. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RunInputsOptions) {
    this.#options = options;
  }

  /** Iterates over the inputs after a sequence, until the worker has to stop or no longer has the run. */
  async *iterate(since: number = this.#options.lastSequence): AsyncGenerator<RunEvent, void> {
    checkCursor(since);
    const { stopped } = this.#options;
    try {
      if (!stopped.aborted) yield* this.#follow(since, stopped);
    } catch (error) {
      if (!stopped.aborted && !isFinished(error)) throw error;
    }
  }

  /**
   * Asks, and waits for the next input.
   * @param signal gives the question up, also one that waits for its turn
   */
  async ask(draft: SealedDraft, signal: AbortSignal | undefined): Promise<RunEvent> {
    const link = linkSignals(signal, this.#options.stopped);
    link.signal.throwIfAborted();
    const answered = this.#turn.then(() => this.#askNow(draft, link.signal));
    this.#turn = answered.catch(() => {}).finally(link.unlink);
    return Promise.race([answered, link.aborted]);
  }

  async *#follow(since: number, signal: AbortSignal): AsyncGenerator<RunEvent, void> {
    const { follow, onEnd } = this.#options;
    try {
      yield* follow(since, signal);
    } catch (error) {
      if (!signal.aborted && isFinished(error)) onEnd(error);
      throw error;
    }
  }

  async #askNow(draft: SealedDraft, signal: AbortSignal): Promise<RunEvent> {
    signal.throwIfAborted();
    const { lastSequence } = await this.#options.request(draft);
    // From the request on, so that an input which came before this read is in it.
    for await (const input of this.#follow(lastSequence, signal)) return input;
    throw new TypeError("Expected inputs to be followed until one comes, got an end.");
  }
}
