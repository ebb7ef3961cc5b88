import type { UIMessage, UIMessageChunk } from "ai";
import { PartJoiner } from "../event-parts.ts";
import { pulled } from "../pulled.ts";
import type { StreamRuns } from "../stream-runs.ts";
import { type LoggedRun, readLog } from "../topic-runs.ts";
import { chunksOf, endOf } from "./answer-events.ts";
import { foldAnswer } from "./fold-answer.ts";

/** How many logs are read at a time. */
const LOGS_AT_ONCE = 50;

/** The messages that these runs make, one after the other. */
export async function foldAnswers<Message extends UIMessage>(
  streams: StreamRuns,
  answers: readonly { readonly runId: string }[],
): Promise<{ readonly messages: readonly Message[]; readonly last: LoggedRun | null }> {
  let messages: readonly Message[] = [];
  let last: LoggedRun | null = null;
  for (let at = 0; at < answers.length; at += LOGS_AT_ONCE) {
    const some = answers.slice(at, at + LOGS_AT_ONCE);
    for (const log of await Promise.all(some.map(({ runId }) => readLog(streams, runId)))) {
      if (log === null) continue;
      messages = await foldAnswer(messages, log);
      last = log;
    }
  }
  return { messages, last };
}

/** The chunks of an answer from its start, and of its end if it was cut short. The stream follows the run, and ends with it. */
export function followAnswer(streams: StreamRuns, runId: string): ReadableStream<UIMessageChunk> {
  return pulled((signal) => followChunks(streams, runId, signal));
}

async function* followChunks(
  streams: StreamRuns,
  runId: string,
  signal: AbortSignal,
): AsyncGenerator<UIMessageChunk, void> {
  const joiner = new PartJoiner();
  for await (const read of streams.follow(runId, 0, signal)) {
    const event = joiner.join(read);
    if (event === null) continue;
    yield* chunksOf(event);
    const end = endOf(event);
    if (end !== null) yield end;
  }
}
