import { type RunEvent, RunEventsError, type RunSnapshot } from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import { pulled } from "../pulled.ts";
import { cutShort, returned, type StreamRuns } from "../stream-runs.ts";
import { ChunkReader, MESSAGE, PartJoiner } from "./answer-events.ts";
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

/**
 * Resolves when the message is recorded whose answer another call makes. A process that died before that is found by its lease.
 * @throws RunEventsError `run_finished` if it never will be
 */
export async function messageRecorded(streams: StreamRuns, runId: string): Promise<void> {
  const joiner = new PartJoiner();
  for await (const event of streams.follow(runId, 0, new AbortController().signal)) {
    if (joiner.join(event)?.eventType === MESSAGE) return;
  }
  throw new RunEventsError(
    "run_finished",
    "Expected the message to be recorded, but its answer ended before that. Ask again, with another idempotency key.",
  );
}

/**
 * Resolves at the end of an answer that another call makes.
 * @throws RunEventsError `run_finished` if it fails or is stopped
 */
export async function answerDone(streams: StreamRuns, runId: string): Promise<void> {
  for await (const event of streams.follow(runId, 0, new AbortController().signal)) {
    const error = cutShort(event);
    if (error !== null) throw error;
  }
}

/** The chunks of an answer from its start, and of its end if it was cut short. The stream follows the run, and ends with it. */
export function followAnswer(streams: StreamRuns, runId: string): ReadableStream<UIMessageChunk> {
  return pulled((signal) => followChunks(streams, runId, signal));
}

/**
 * Follows an answer from one of its chunks on, as `WorkflowChatTransport` asks. The stream ends with `finish`: without it that transport
 * asks again and again.
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
  const reader = new ChunkReader();
  const count = log.events.reduce((sum, event) => sum + reader.read(event).length, 0);
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
  const reader = new ChunkReader();
  for await (const event of streams.follow(runId, 0, signal)) yield* reader.read(event);
}
