import type { UIMessage, UIMessageChunk } from "ai";
import { pulled } from "../streams/pulled.ts";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { type LoggedRun, readLogs } from "../runs/topic-runs.ts";
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

async function* followChunks(
  streams: StreamRuns,
  runId: string,
  signal: AbortSignal,
): AsyncGenerator<UIMessageChunk, void> {
  for await (const event of streams.follow(runId, 0, signal)) yield* readChunks(event);
}
