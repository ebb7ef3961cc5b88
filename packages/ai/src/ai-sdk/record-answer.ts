import type { WorkedRun } from "@tm/run-events-core";
import type { UIMessageChunk } from "ai";
import { readUntilStopped } from "../produce/read-until-stopped.ts";
import { ShownError } from "../produce/shown-failure.ts";
import type { ValueWriter } from "../produce/value-writer.ts";
import { CHUNKS, CUT_SHORT_TEXT, hasType } from "./answer-events.ts";
import { isDelta } from "./join-deltas.ts";
import type { Spiller } from "./spill.ts";

/** Where chunks are written, and what stores large files elsewhere. */
export interface AnswerLog {
  readonly writer: ValueWriter;
  readonly spiller: Spiller;
}

/**
 * Writes the chunks of an answer into its run, up to their end. If the worker has to stop, it cancels the stream.
 * @param make makes the stream
 * @param messageId the id of the message, if the stream gives it none
 * @throws ShownError for a chunk that says that the answer has failed
 * @throws what the stream fails with, or the reason of the worker's signal
 */
export async function recordAnswer(
  run: WorkedRun,
  make: () => Promise<ReadableStream<UIMessageChunk>>,
  messageId: string,
  log: AnswerLog,
): Promise<void> {
  const writer = new ChunkWriter(messageId, log);
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
 * Refuses a chunk of another stream, such as the text of a model: the answer would be empty.
 * @throws TypeError for what is not a chunk of the AI SDK
 */
function checkChunk(value: unknown): void {
  if (hasType(value)) return;
  throw new TypeError(
    `Expected chunks with a \`type\`, got a value of type ${typeof value}. Return the stream of \`toUIMessageStream\`.`,
  );
}

/** Writes chunks, and makes sure that they begin with one that names the message. */
class ChunkWriter {
  readonly #messageId: string;
  readonly #log: AnswerLog;
  #hasBegun = false;

  constructor(messageId: string, log: AnswerLog) {
    this.#messageId = messageId;
    this.#log = log;
  }

  async write(given: UIMessageChunk): Promise<void> {
    const chunk = await this.#log.spiller.chunk(given);
    const isStart = chunk.type === "start";
    // Without an id each reader would make one, so a reload would show another message.
    if (!this.#hasBegun && !isStart) await this.write({ type: "start" });
    this.#hasBegun = true;
    const named = isStart ? { ...chunk, messageId: chunk.messageId ?? this.#messageId } : chunk;
    await this.#log.writer.write(CHUNKS, [named], isDelta(chunk));
  }
}
