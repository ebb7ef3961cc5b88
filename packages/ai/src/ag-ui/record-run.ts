import type { RunAgentInput } from "@ag-ui/client";
import {
  type EventDraft,
  RunEventsError,
  type WorkedRun,
  type WorkOptions,
} from "@tm/run-events-core";
import { joinEarlier } from "../earlier-call.ts";
import { insist } from "../insist.ts";
import { Pauses } from "../pauses.ts";
import { refusal } from "../requests.ts";
import type { StreamRuns } from "../stream-runs.ts";
import { listTopic, readLog, readLogs } from "../topic-runs.ts";
import type { RunQuery } from "./follow-thread.ts";
import { MERGE } from "./log-events.ts";
import { type RunAgent, writeRun, writeStart } from "./write-run.ts";

/** A request of AG-UI to record, and its settings. */
export interface Recording {
  readonly input: RunAgentInput;
  readonly agent: RunAgent;
  readonly how: Pick<WorkOptions, "mergeMs" | "describeError">;
  /** Called with the end of a run that this process records. It never rejects. */
  readonly waitUntil: ((promise: Promise<unknown>) => unknown) | undefined;
}

/** A run that is being recorded. */
export interface Recorded {
  /** Where its events are. */
  readonly query: RunQuery;
  /** Resolves at its end, or at its question. */
  readonly done: Promise<unknown>;
}

/**
 * Records a run of AG-UI. A repeated request finds its run.
 * @returns once the request is recorded
 */
export async function recordRun(streams: StreamRuns, recording: Recording): Promise<Recorded> {
  const { threadId, resume = [] } = recording.input;
  // Before the run is created: if the store is unavailable, the request can be made again.
  const known = { ...recording, known: await messageIdsOf(streams, threadId) };
  return resume.length === 0 ? startRun(streams, known) : resumeRun(streams, known);
}

/** A recording, and the ids of the messages that its thread has. */
interface KnownRecording extends Recording {
  readonly known: ReadonlySet<string>;
}

async function startRun(
  streams: StreamRuns,
  recording: KnownRecording,
  isSecond = false,
): Promise<Recorded> {
  const { threadId, runId: name } = recording.input;
  const runId = await streams.runIdOf(JSON.stringify([threadId, name]));
  const query = { runId, since: 0, isWhole: false };
  // Without a claim, which would end a run that waits without a worker.
  if ((await streams.find(runId)) !== null) return sameRun(streams, query, name);
  const recorded = Promise.withResolvers<void>();
  const place = { metadata: { threadId, runId: name }, topic: threadId, exclusive: true };
  const options = { ...place, ...recording.how, merge: MERGE };
  const work = (run: WorkedRun): Promise<void> => record(streams, run, recording, recorded.resolve);
  const produced = await streams
    .produce(runId, options, () => {}, work)
    .catch((error: unknown) => endBusy(streams, error, isSecond));
  if (produced === null) return startRun(streams, recording, true);
  if (produced instanceof RunEventsError) return sameRun(streams, query, name);
  recording.waitUntil?.(produced.done.catch(() => {}));
  produced.done.catch(recorded.reject);
  await recorded.promise;
  return { query, done: produced.done };
}

/** The run of an earlier request with the same id, once that request is recorded. */
async function sameRun(streams: StreamRuns, query: RunQuery, name: string): Promise<Recorded> {
  const isAsked = ({ eventType, payload }: EventDraft): boolean =>
    eventType === "RUN_STARTED" && (payload as Mentions).runId === name;
  const earlier = await joinEarlier(streams, { ...query, key: "`runId`", isAsked });
  return {
    query,
    get done() {
      return earlier.done;
    },
  };
}

/** Ends the live run of a thread, if its process has died. A waiting run stays. */
async function endBusy(streams: StreamRuns, error: unknown, isSecond: boolean): Promise<null> {
  if (isSecond || !(error instanceof RunEventsError) || error.code !== "topic_busy") throw error;
  await streams.endIfDead(String(error.details.runId));
  return null;
}

/** Goes on with the waiting run of a thread. Its worker may still hold the lease: it is about to park, or it has died. */
async function resumeRun(streams: StreamRuns, recording: KnownRecording): Promise<Recorded> {
  const { runs, ownerId, leaseMs } = streams;
  const pauses = new Pauses();
  for (;;) {
    const { query, isAnswered } = await findAsked(streams, recording.input);
    if (isAnswered) return sameRun(streams, query, recording.input.runId);
    const recorded = Promise.withResolvers<void>();
    const options = {
      ownerId,
      leaseMs,
      ...recording.how,
      merge: MERGE,
      onShutdown: "fail",
    } as const;
    const done = runs.work(query.runId, options, async (run) => {
      await answer(streams, run, query.since, recording.input);
      await record(streams, run, recording, recorded.resolve);
    });
    done.catch(recorded.reject);
    try {
      await recorded.promise;
      recording.waitUntil?.(done.catch(() => {}));
      return { query, done };
    } catch (error) {
      const isClaimed = error instanceof RunEventsError && error.code === "claimed";
      if (!isClaimed || pauses.totalMs > 1.5 * leaseMs) throw error;
    }
    await pauses.next(new AbortController().signal);
  }
}

/** Appends the answer. If that fails, it parks the run again. */
async function answer(
  streams: StreamRuns,
  run: WorkedRun,
  asked: number,
  { runId, resume }: RunAgentInput,
): Promise<void> {
  const options = { ownerId: streams.ownerId, expectedSequence: asked };
  const give = (): Promise<unknown> => streams.runs.input(run.runId, { runId, resume }, options);
  try {
    await insist(give, run.signal);
  } catch (error) {
    await run.park().catch(() => {});
    throw error;
  }
}

async function record(
  streams: StreamRuns,
  run: WorkedRun,
  { input, agent, known }: KnownRecording,
  onRecorded: () => void,
): Promise<void> {
  const { limits } = streams.runs.log;
  await writeStart(run, input, known, limits);
  onRecorded();
  await writeRun(run, input, agent, limits);
}

interface Mentions {
  readonly messageId?: string;
  readonly messages?: readonly { readonly id: string }[];
  readonly input?: Mentions;
  readonly runId?: string;
  readonly interruptIds?: readonly string[];
}

/** The ids of the messages that the runs of a thread have. */
async function messageIdsOf(streams: StreamRuns, threadId: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { events } of readLogs(streams, await listTopic(streams, threadId))) {
    for (const { payload } of events) {
      const { messageId, messages, input } = (payload ?? {}) as Mentions;
      if (messageId !== undefined) ids.add(messageId);
      for (const { id } of messages ?? input?.messages ?? []) ids.add(id);
    }
  }
  return ids;
}

/**
 * Finds the question that the thread waits with.
 * @returns `isAnswered` if this request has answered it before
 * @throws RunEventsError `topic_busy` or `run_finished` if the thread does not wait; `invalid_request` if a question stays open
 */
async function findAsked(
  streams: StreamRuns,
  { threadId, runId: name, resume = [] }: RunAgentInput,
): Promise<{ readonly query: RunQuery; readonly isAnswered: boolean }> {
  const { ownerId } = streams;
  const [last] = (await streams.runs.list({ ownerId, topic: threadId, limit: 1 })).runs;
  const {
    runId = "",
    runStatus,
    events = [],
  } = (last && (await readLog(streams, last.runId))) ?? {};
  const at = (since: number): RunQuery => ({ runId, since, isWhole: false });
  const isOf = (payload: unknown): boolean => (payload as Mentions | null)?.runId === name;
  const own = events.find(
    ({ eventType, payload }) => eventType === "INPUT_RECEIVED" && isOf(payload),
  );
  if (own !== undefined) return { query: at(own.sequence), isAnswered: true };
  const asked = events.findLast(({ eventType }) => eventType === "INPUT_REQUESTED");
  if (runStatus !== "waiting" || asked === undefined) {
    const code = runStatus === "running" ? "topic_busy" : "run_finished";
    throw refusal(
      code,
      "Expected a waiting run of this thread, got none. Read the thread, then send a message.",
    );
  }
  const { interruptIds = [] } = asked.payload as Mentions;
  const open = interruptIds.filter((id) => !resume.some(({ interruptId }) => interruptId === id));
  if (open.length > 0) {
    throw refusal(
      "invalid_request",
      `Expected \`resume\` to answer all interrupts, got none for ${open.join(", ")}. Answer them too.`,
    );
  }
  return { query: at(asked.sequence), isAnswered: false };
}
