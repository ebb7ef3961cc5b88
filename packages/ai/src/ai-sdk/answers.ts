import { type RunEvent, RunEventsError, type RunSnapshot } from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import { pulled } from "../pulled.ts";
import { returned, type StreamRuns } from "../stream-runs.ts";
import { chunksOf, endOf, PartJoiner } from "./answer-events.ts";
import { type AnswerLog, foldAnswer } from "./fold-answer.ts";

/** How many runs one call lists, and how many logs are read at a time. */
const RUNS_AT_ONCE = 50;

/** The runs of a chat, the oldest first. */
export async function listAnswers(
  { runs, ownerId }: StreamRuns,
  chatId: string,
): Promise<readonly RunSnapshot[]> {
  const found: RunSnapshot[] = [];
  let cursor: number | undefined;
  do {
    const page = await runs.list({ ownerId, topic: chatId, limit: RUNS_AT_ONCE, cursor });
    found.push(...page.runs);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return found.toReversed();
}

/** The run of the answer that is being made now; `null` if no answer is. */
export async function findLive(
  { runs, ownerId }: StreamRuns,
  chatId: string,
): Promise<RunSnapshot | null> {
  const page = await runs.list({ ownerId, topic: chatId, status: "live", limit: 1 });
  return page.runs[0] ?? null;
}

/** The messages that these runs make, one after the other. */
export async function foldAnswers<Message extends UIMessage>(
  streams: StreamRuns,
  answers: readonly { readonly runId: string }[],
): Promise<{ readonly messages: readonly Message[]; readonly last: AnswerLog | null }> {
  let messages: readonly Message[] = [];
  let last: AnswerLog | null = null;
  for (let at = 0; at < answers.length; at += RUNS_AT_ONCE) {
    const some = answers.slice(at, at + RUNS_AT_ONCE);
    for (const log of await Promise.all(some.map(({ runId }) => readLog(streams, runId)))) {
      if (log === null) continue;
      messages = await foldAnswer(messages, log);
      last = log;
    }
  }
  return { messages, last };
}

/** The log of a run as it is now; `null` if it was removed. */
async function readLog({ runs, ownerId }: StreamRuns, runId: string): Promise<AnswerLog | null> {
  const events: RunEvent[] = [];
  for (;;) {
    const since = events.at(-1)?.sequence ?? 0;
    const page = await runs.read(runId, { ownerId, since }).catch(returned("not_found"));
    if (page instanceof RunEventsError) return null;
    events.push(...page.events);
    if (!page.hasMore) return { runId, runStatus: page.runStatus, events };
  }
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
