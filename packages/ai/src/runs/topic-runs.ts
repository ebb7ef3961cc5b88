import {
  type RunEvent,
  RunEventsError,
  type RunSnapshot,
  type RunStatus,
} from "@tm/run-events-core";
import { PartJoiner } from "./event-parts.ts";
import { returned, type StreamRuns } from "./stream-runs.ts";

/** A run, and its log up to the read. */
export interface LoggedRun {
  readonly runId: string;
  readonly runStatus: RunStatus;
  readonly events: readonly RunEvent[];
}

/** The number of runs that one call lists, and of logs that are read at a time. */
const RUNS_AT_ONCE = 50;

/** The runs of a topic, the oldest first. */
export async function listTopic(
  { runs, ownerId }: StreamRuns,
  topic: string,
): Promise<readonly RunSnapshot[]> {
  const found: RunSnapshot[] = [];
  let cursor: number | undefined;
  do {
    const page = await runs.list({ ownerId, topic, limit: RUNS_AT_ONCE, cursor });
    found.push(...page.runs);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return found.toReversed();
}

/** The live run of a topic; `null` without one. */
export async function findLive(
  { runs, ownerId }: StreamRuns,
  topic: string,
): Promise<RunSnapshot | null> {
  const page = await runs.list({ ownerId, topic, status: "live", limit: 1 });
  return page.runs[0] ?? null;
}

/** Cancels the live run of a topic. @returns whether there was one */
export async function stopLive(streams: StreamRuns, topic: string): Promise<boolean> {
  const live = await findLive(streams, topic);
  if (live === null) return false;
  const { ownerId } = streams;
  return (await streams.runs.cancel(live.runId, { ownerId })).runStatus === "cancelled";
}

/** The logs of these runs, in order. Those that were removed are left out. */
export async function* readLogs(
  streams: StreamRuns,
  runs: readonly { readonly runId: string }[],
): AsyncGenerator<LoggedRun, void> {
  for (let at = 0; at < runs.length; at += RUNS_AT_ONCE) {
    const some = runs.slice(at, at + RUNS_AT_ONCE);
    for (const log of await Promise.all(some.map(({ runId }) => readLog(streams, runId)))) {
      if (log !== null) yield log;
    }
  }
}

/** The log of a run as it is now, the parts of its values joined; `null` if it was removed. */
export async function readLog(
  { runs, ownerId }: StreamRuns,
  runId: string,
): Promise<LoggedRun | null> {
  const joiner = new PartJoiner();
  const events: RunEvent[] = [];
  for (let since = 0; ;) {
    const page = await runs.read(runId, { ownerId, since }).catch(returned("not_found"));
    if (page instanceof RunEventsError) return null;
    events.push(
      ...page.events.map((event) => joiner.join(event)).filter((event) => event !== null),
    );
    since = page.events.at(-1)?.sequence ?? since;
    if (!page.hasMore) return { runId, runStatus: page.runStatus, events };
  }
}
