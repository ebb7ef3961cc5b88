import type { WorkedRun } from "@tm/run-events-core";
import type { UIMessageChunk } from "ai";
import { encodeEvents } from "../event-parts.ts";
import { readUntilStopped } from "../read-until-stopped.ts";
import { ShownError } from "../shown-failure.ts";
import { CHUNKS, CUT_SHORT_TEXT } from "./answer-events.ts";
import { isDelta } from "./join-deltas.ts";
import type { Spiller } from "./spill.ts";

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
 * @throws ShownError for a chunk that says that the answer has failed
 * @throws what the stream fails with, or the reason of the worker's signal
 */
export async function recordAnswer(
  run: WorkedRun,
  make: () => Promise<ReadableStream<UIMessageChunk>>,
  messageId: string,
  bounds: Bounds,
): Promise<void> {
  const writer = new ChunkWriter(run, messageId, bounds);
  await readUntilStopped(run.signal, make, async (chunk) => {
    checkChunk(chunk);
    if (chunk.type === "error") throw new ShownError(chunk.errorText);
    // The run's own signal has not aborted: the program has stopped its model.
    if (chunk.type === "abort") throw new ShownError(CUT_SHORT_TEXT);
    await writer.write(chunk);
    return false;
  });
}

/**
 * Refuses another stream, such as the text of a model: its answer would have no part.
 * @throws TypeError for what is not a chunk of the AI SDK
 */
function checkChunk(value: unknown): void {
  if (typeof (Object(value) as { readonly type?: unknown }).type === "string") return;
  throw new TypeError(
    `Expected chunks with a \`type\`, got a value of type ${typeof value}. Return the stream of \`toUIMessageStream\`.`,
  );
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
    // The first token does not wait for others. What waits goes along with it.
    const now = !this.#hasDelta && isDelta(chunk);
    this.#hasDelta ||= now;
    for (const { eventType, payload } of encodeEvents(CHUNKS, [named], maxPayloadBytes)) {
      await this.#run.emit(eventType, payload, { now });
    }
  }
}
