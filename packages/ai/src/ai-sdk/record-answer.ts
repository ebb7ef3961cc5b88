import type { EventDraft, WorkedRun } from "@tm/run-events-core";
import type { UIMessageChunk } from "ai";
import { CHUNKS, CUT_SHORT_TEXT, encodeEvents } from "./answer-events.ts";
import { isDelta } from "./join-deltas.ts";
import type { Spiller } from "./spill.ts";
import { untilAborted } from "./until-aborted.ts";

/** The most UTF-16 units of an error's text that are kept. */
const MOST_ERROR_TEXT = 1_000;

/** The end of an answer that has failed. Its text is for the user: the AI SDK, or the program, has made it so. */
export class AnswerError extends Error {
  constructor(errorText: string) {
    super(errorText.slice(0, MOST_ERROR_TEXT));
  }
}

/** What a payload may have, and what takes out what is larger. */
interface Bounds {
  readonly maxPayloadBytes: number;
  readonly spiller: Spiller;
}

/**
 * Writes the chunks of an answer into its run, up to their end. If the worker has to stop, it cancels the stream.
 * @param make makes the stream
 * @param messageId the id of the message, if the stream gives it none
 * @param bounds what a payload may have, and what takes out what is larger
 * @throws AnswerError for a chunk that says that the answer has failed
 * @throws what the stream fails with, or the reason of the worker's signal
 */
export async function recordAnswer(
  run: WorkedRun,
  make: () => Promise<ReadableStream<UIMessageChunk>>,
  messageId: string,
  bounds: Bounds,
): Promise<void> {
  const reader = (await openUnlessStopped(run.signal, make)).getReader();
  const stop = (): void => void reader.cancel(run.signal.reason).catch(() => {});
  run.signal.addEventListener("abort", stop, { once: true });
  const writer = new ChunkWriter(run, messageId, bounds);
  try {
    for (;;) {
      run.signal.throwIfAborted();
      const { done, value } = await reader.read();
      // A stream that is cancelled just ends: a part of an answer must not pass for a whole one.
      run.signal.throwIfAborted();
      if (done) return;
      checkChunk(value);
      if (value.type === "error") throw new AnswerError(value.errorText);
      // The run's own signal has not aborted: the program has stopped its model.
      if (value.type === "abort") throw new AnswerError(CUT_SHORT_TEXT);
      await writer.write(value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    run.signal.removeEventListener("abort", stop);
  }
}

/**
 * A stream of anything else, such as the text of a model, would leave an answer without a part.
 * @throws TypeError for what is not a chunk of the AI SDK
 */
function checkChunk(value: unknown): void {
  if (typeof (Object(value) as { readonly type?: unknown }).type === "string") return;
  throw new TypeError(
    `Expected chunks with a \`type\`, got a value of type ${typeof value}. Return the stream of \`toUIMessageStream\`.`,
  );
}

/** Waits for the stream, but no longer than the worker may work. A stream that comes later is cancelled. */
async function openUnlessStopped(
  signal: AbortSignal,
  make: () => Promise<ReadableStream<UIMessageChunk>>,
): Promise<ReadableStream<UIMessageChunk>> {
  signal.throwIfAborted();
  const made = make();
  try {
    return await untilAborted(made, signal);
  } catch (error) {
    made.then((late) => late.cancel(error)).catch(() => {});
    throw error;
  }
}

/** Writes chunks, and makes sure that they begin with one that names the message. */
class ChunkWriter {
  readonly #run: WorkedRun;
  readonly #messageId: string;
  readonly #bounds: Bounds;
  #hasBegun = false;
  #hasDelta = false;

  constructor(run: WorkedRun, messageId: string, bounds: Bounds) {
    this.#run = run;
    this.#messageId = messageId;
    this.#bounds = bounds;
  }

  async write(given: UIMessageChunk): Promise<void> {
    const { spiller, maxPayloadBytes } = this.#bounds;
    const chunk = await spiller.chunk(given);
    const isStart = chunk.type === "start";
    // Without an id each reader would make one, so a reload would show another message.
    if (!this.#hasBegun && !isStart) await this.write({ type: "start" });
    this.#hasBegun = true;
    const named = isStart ? { ...chunk, messageId: chunk.messageId ?? this.#messageId } : chunk;
    const drafts = encodeEvents(CHUNKS, [named], maxPayloadBytes);
    if (this.#hasDelta || !isDelta(chunk)) return this.#emit(drafts);
    // The first token does not wait for others: an append takes along what waits.
    this.#hasDelta = true;
    await (drafts.length === 1 ? this.#run.append(drafts) : this.#emit(drafts));
  }

  async #emit(drafts: readonly EventDraft[]): Promise<void> {
    for (const { eventType, payload } of drafts) await this.#run.emit(eventType, payload);
  }
}
