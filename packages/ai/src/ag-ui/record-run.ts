import type { RunAgentInput } from "@ag-ui/client";
import { type EventDraft, RunEventsError, type WorkedRun } from "@tm/run-events-core";
import { joinEarlier } from "../produce/earlier-call.ts";
import { insist } from "../runs/insist.ts";
import { Pauses } from "../runs/pauses.ts";
import { type ProduceOptions, produceRun } from "../produce/produce-run.ts";
import { refusal } from "../routes/refusals.ts";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { readLog } from "../runs/topic-runs.ts";
import { ValueWriter } from "../produce/value-writer.ts";
import type { RunQuery } from "./follow-thread.ts";
import { messageIdsOf } from "./message-ids.ts";
import { type RunAgent, startOf, writeRun } from "./write-run.ts";

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
 * Records a run of AG-UI. A repeated request finds its run. An answer goes on with the waiting run of the thread.
 * @returns once the request is recorded
 */
export async function recordRun(
  streams: StreamRuns,
  { input, agent, how }: Recording,
): Promise<Recorded> {
  const { threadId, runId: name, resume = [] } = input;
  const isWaiting = resume.length > 0;
  const options = { metadata: { threadId, runId: name }, topic: threadId, exclusive: true, ...how };
  // Before the run is created: if the store is unavailable, the request can be made again.
  const start = startOf(input, await messageIdsOf(streams, threadId));
  const pauses = new Pauses();
  for (;;) {
    const { isRepeated = false, ...query } = isWaiting
      ? await findAsked(streams, input)
      : { runId: await streams.runIdOf(JSON.stringify([threadId, name])), since: 0 };
    if (isRepeated) return joinRun(streams, query, name);
    const made = await produceRun(
      streams,
      query.runId,
      { isWaiting, ...options },
      async (run) => {
        if (isWaiting) await answer(streams, run, query.since, input);
        const writer = new ValueWriter(run, streams.runs.log.limits);
        await writer.append("RUN_STARTED", start);
        return writer;
      },
      (run, writer) => writeRun(run, writer, input, agent),
    );
    if (!(made instanceof RunEventsError)) return { query, run: made };
    if (!isWaiting) return joinRun(streams, query, name);
    // The worker that has asked may still hold the lease: it is about to park, or it has died.
    if (made.code !== "claimed" || pauses.totalMs > 1.5 * streams.leaseMs) throw made;
    await pauses.next(new AbortController().signal);
  }
}

/** Joins the run of an earlier request with the same id, once that request is recorded. */
async function joinRun(streams: StreamRuns, query: RunQuery, name: string): Promise<Recorded> {
  const isAsked = ({ eventType, payload }: EventDraft): boolean =>
    eventType === "RUN_STARTED" && mentionsIn(payload).runId === name;
  return { query, run: await joinEarlier(streams, { ...query, key: "`runId`", isAsked }) };
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
  readonly runId?: unknown;
  readonly interruptIds?: unknown;
}

/** The ids that a payload mentions. Another program may have written it, so it may be anything. */
function mentionsIn(payload: unknown): Mentions {
  return Object(payload) as Mentions;
}

/**
 * Finds the question that the thread waits with.
 * @returns its place; `isRepeated` if this request has answered it before
 * @throws RunEventsError `topic_busy` or `run_finished` if the thread does not wait; `invalid_request` if a question stays open
 */
async function findAsked(
  streams: StreamRuns,
  { threadId, runId: name, resume = [] }: RunAgentInput,
): Promise<RunQuery & { readonly isRepeated?: boolean }> {
  const { ownerId } = streams;
  const [last] = (await streams.runs.list({ ownerId, topic: threadId, limit: 1 })).runs;
  const {
    runId = "",
    runStatus,
    events = [],
  } = (last && (await readLog(streams, last.runId))) ?? {};
  const own = events.find(
    ({ eventType, payload }) =>
      eventType === "INPUT_RECEIVED" && mentionsIn(payload).runId === name,
  );
  if (own !== undefined) return { runId, since: own.sequence, isRepeated: true };
  const asked = events.findLast(({ eventType }) => eventType === "INPUT_REQUESTED");
  if (runStatus !== "waiting" || asked === undefined) {
    const code = runStatus === "running" ? "topic_busy" : "run_finished";
    throw refusal(
      code,
      "Expected a waiting run of this thread, got none. Read the thread, then send a message.",
    );
  }
  const { interruptIds } = mentionsIn(asked.payload);
  const ids = [interruptIds].flat().filter((id) => typeof id === "string");
  const open = ids.filter((id) => !resume.some(({ interruptId }) => interruptId === id));
  if (open.length > 0) {
    throw refusal(
      "invalid_request",
      `Expected \`resume\` to answer all interrupts, got none for ${open.join(", ")}. Answer them too.`,
    );
  }
  return { runId, since: asked.sequence };
}
