import type { RunAgentInput } from "@ag-ui/client";
import { type EventDraft, RunEventsError, type WorkedRun } from "@tm/run-events-core";
import { joinEarlier } from "../earlier-call.ts";
import { insist } from "../insist.ts";
import { Pauses } from "../pauses.ts";
import { refusal } from "../requests.ts";
import { type ProduceOptions, produceRun } from "../produce-run.ts";
import type { StreamRuns } from "../stream-runs.ts";
import { listTopic, readLog, readLogs } from "../topic-runs.ts";
import { ValueWriter } from "../value-writer.ts";
import type { RunQuery } from "./follow-thread.ts";
import { type RunAgent, writeRun, writeStart } from "./write-run.ts";

/** A request of AG-UI to record, and its settings. */
export interface Recording {
  readonly input: RunAgentInput;
  readonly agent: RunAgent;
  readonly how: ProduceOptions;
}

/** A run that is recorded, in this process or in another one. */
export interface Recorded {
  /** Where its events are. */
  readonly query: RunQuery;
  /** `done` resolves at its end, or at its question. */
  readonly run: { readonly done: Promise<unknown> };
}

/**
 * Records a run of AG-UI. A repeated request finds its run.
 * @returns once the request is recorded
 */
export async function recordRun(streams: StreamRuns, recording: Recording): Promise<Recorded> {
  const { input, agent } = recording;
  const { limits } = streams.runs.log;
  // Before the run is created: if the store is unavailable, the request can be made again.
  const known = await messageIdsOf(streams, input.threadId);
  const open: Open = async (run) => {
    const writer = new ValueWriter(run, limits);
    await writeStart(writer, input, known);
    return writer;
  };
  const write: Write = (run, writer) => writeRun(run, writer, input, agent);
  const isAnswer = input.resume !== undefined && input.resume.length > 0;
  return (isAnswer ? resumeRun : startRun)(streams, recording, open, write);
}

type Open = (run: WorkedRun) => Promise<ValueWriter>;
type Write = (run: WorkedRun, writer: ValueWriter) => Promise<void>;

async function startRun(
  streams: StreamRuns,
  { input: { threadId, runId: name }, how }: Recording,
  open: Open,
  write: Write,
): Promise<Recorded> {
  const runId = await streams.runIdOf(JSON.stringify([threadId, name]));
  const query = { runId, since: 0, isWhole: false };
  const place = { metadata: { threadId, runId: name }, topic: threadId, exclusive: true };
  const run = await produceRun(streams, runId, { ...place, ...how }, open, write);
  return run instanceof RunEventsError ? joinRun(streams, query, name) : { query, run };
}

/** Joins the run of an earlier request with the same id, once that request is recorded. */
async function joinRun(streams: StreamRuns, query: RunQuery, name: string): Promise<Recorded> {
  const isAsked = ({ eventType, payload }: EventDraft): boolean =>
    eventType === "RUN_STARTED" && (payload as Mentions).runId === name;
  return { query, run: await joinEarlier(streams, { ...query, key: "`runId`", isAsked }) };
}

/** Goes on with the waiting run of a thread. Its worker may still hold the lease: it is about to park, or it has died. */
async function resumeRun(
  streams: StreamRuns,
  { input, how }: Recording,
  open: Open,
  write: Write,
): Promise<Recorded> {
  const pauses = new Pauses();
  for (;;) {
    const { query, isAnswered } = await findAsked(streams, input);
    if (isAnswered) return joinRun(streams, query, input.runId);
    const answerAndOpen: Open = async (run) => {
      await answer(streams, run, query.since, input);
      return open(run);
    };
    const options = { isWaiting: true, ...how };
    const run = await produceRun(streams, query.runId, options, answerAndOpen, write);
    if (!(run instanceof RunEventsError)) return { query, run };
    if (run.code !== "claimed" || pauses.totalMs > 1.5 * streams.leaseMs) throw run;
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
