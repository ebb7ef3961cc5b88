import type { RunEventsError } from "@tm/run-events-core";
import type { RunView, Store } from "@tm/run-events-client/store";
import type { UIMessageChunk } from "ai";
import { PartJoiner } from "../../runs/event-parts.ts";
import { readChunks } from "../answer-events.ts";

/** After this long without an event, in milliseconds, the server is asked whether the process of the answer lives. */
const SILENCE_MS = 5_000;

/** Settings of {@link streamAnswer}. */
export interface AnswerStreamOptions {
  /** Ends the stream with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called each time that no event has come for a while, although the connection works. */
  readonly onSilence: () => void;
  /** Called before the stream fails. @returns whether it has to end without the error */
  readonly onFailed: (error: RunEventsError | null) => boolean;
  /** Called once, when the stream has ended in any way. */
  readonly onEnd: () => void;
}

/**
 * The chunks of an answer from its start. A lost connection shows only as a pause. The stream ends with the run, and fails only if waiting
 * cannot help.
 * @param run is followed until the stream ends
 */
export function streamAnswer(
  run: Store<RunView>,
  options: AnswerStreamOptions,
): ReadableStream<UIMessageChunk> {
  let follower: AnswerFollower | undefined;
  return new ReadableStream({
    start(controller) {
      follower = new AnswerFollower(run, options, controller);
      follower.begin();
    },
    cancel: () => follower?.end(),
  });
}

/** Follows the run of one stream. */
class AnswerFollower {
  readonly #run: Store<RunView>;
  readonly #options: AnswerStreamOptions;
  readonly #controller: ReadableStreamDefaultController<UIMessageChunk>;
  readonly #joiner = new PartJoiner();
  #count = 0;
  #isOver = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #unsubscribe = (): void => {};

  constructor(
    run: Store<RunView>,
    options: AnswerStreamOptions,
    controller: ReadableStreamDefaultController<UIMessageChunk>,
  ) {
    this.#run = run;
    this.#options = options;
    this.#controller = controller;
  }

  begin(): void {
    const { signal } = this.#options;
    if (signal?.aborted === true) return this.#abort();
    signal?.addEventListener("abort", this.#abort);
    this.#listen();
    this.#unsubscribe = this.#run.subscribe(() => this.#take());
    this.#take();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#unsubscribe();
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#options.onEnd();
  }

  #take(): void {
    if (this.#isOver) return;
    const { events, state, error } = this.#run.getSnapshot();
    if (events.length > this.#count) this.#listen();
    for (const event of events.slice(this.#count)) {
      const whole = this.#joiner.join(event);
      for (const chunk of whole === null ? [] : readChunks(whole)) this.#controller.enqueue(chunk);
    }
    this.#count = events.length;
    if (state === "finished") {
      this.end();
      this.#controller.close();
    } else if (state === "failed") {
      const isQuiet = this.#options.onFailed(error);
      this.end();
      if (!isQuiet) return this.#controller.error(error);
      // Otherwise the chat may send the part that it has, as a message that is complete.
      this.#controller.enqueue({ type: "finish", finishReason: "interrupted" });
      this.#controller.close();
    }
  }

  #listen(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const { state } = this.#run.getSnapshot();
      if (state === "live" || state === "polling") this.#options.onSilence();
    }, SILENCE_MS);
  }

  readonly #abort = (): void => {
    this.end();
    this.#controller.error(this.#options.signal?.reason);
  };
}
