import type { UIMessage, UIMessageChunk } from "ai";
import { pulled } from "../pulled.ts";
import type { StreamRuns } from "../stream-runs.ts";
import { type LoggedRun, readLog, readLogs } from "../topic-runs.ts";
import { readChunks } from "./answer-events.ts";
import { foldAnswer } from "./fold-answer.ts";

/** The messages that these runs make, one after the other. */
export async function foldAnswers<Message extends UIMessage>(
  streams: StreamRuns,
  answers: readonly { readonly runId: string }[],
): Promise<{ readonly messages: readonly Message[]; readonly last: LoggedRun | null }> {
  let messages: readonly Message[] = [];
  let last: LoggedRun | null = null;
  for await (const log of readLogs(streams, answers)) {
    messages = await foldAnswer(messages, log);
    last = log;
  }
  return { messages, last };
}

/** The chunks of an answer from its start. The stream ends with the run. If the run was cut short, the last chunk says so. */
export function followAnswer(streams: StreamRuns, runId: string): ReadableStream<UIMessageChunk> {
  return pulled((signal) => followChunks(streams, runId, signal));
}

/**
 * Follows an answer from one of its chunks on, as `WorkflowChatTransport` asks. The stream ends with `finish`. Without it, that transport
 * would ask for ever.
 * @param startIndex the number of the chunk, from 0. A negative one counts from the end of what there is
 * @returns the stream, and the number of the last chunk that there is; `null` if no answer of the owner has this run
 */
export async function followFrom(
  streams: StreamRuns,
  runId: string,
  startIndex: number,
): Promise<{
  readonly stream: ReadableStream<UIMessageChunk>;
  readonly lastIndex: number;
} | null> {
  const log = await readLog(streams, runId);
  if (log === null) return null;
  const count = log.events.flatMap(readChunks).length;
  const first = startIndex < 0 ? Math.max(0, count + startIndex) : startIndex;
  const stream = pulled((signal) => skipChunks(followChunks(streams, runId, signal), first));
  return { stream, lastIndex: count - 1 };
}

async function* skipChunks(
  chunks: AsyncIterable<UIMessageChunk>,
  first: number,
): AsyncGenerator<UIMessageChunk, void> {
  let index = 0;
  let isFinished = false;
  for await (const chunk of chunks) {
    if (index >= first) yield chunk;
    isFinished ||= chunk.type === "finish";
    index += 1;
  }
  if (!isFinished) yield { type: "finish" };
}

async function* followChunks(
  streams: StreamRuns,
  runId: string,
  signal: AbortSignal,
): AsyncGenerator<UIMessageChunk, void> {
  for await (const event of streams.follow(runId, 0, signal)) yield* readChunks(event);
}
