import {
  type RunEvent,
  RunEventsError,
  type RunSnapshot,
  type RunStatus,
} from "@tm/run-events-core";
import { returned, type StreamRuns } from "./stream-runs.ts";

/** A run, and its log up to the read. */
export interface LoggedRun {
  readonly runId: string;
  readonly runStatus: RunStatus;
  readonly events: readonly RunEvent[];
}

/** How many runs one call lists. */
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

/** The run of a topic that has not finished; `null` if all have. */
export async function findLive(
  { runs, ownerId }: StreamRuns,
  topic: string,
): Promise<RunSnapshot | null> {
  const page = await runs.list({ ownerId, topic, status: "live", limit: 1 });
  return page.runs[0] ?? null;
}

/** Cancels the run of a topic that has not finished. @returns whether there was one */
export async function stopLive(streams: StreamRuns, topic: string): Promise<boolean> {
  const live = await findLive(streams, topic);
  if (live === null) return false;
  const { ownerId } = streams;
  return (await streams.runs.cancel(live.runId, { ownerId })).runStatus === "cancelled";
}

/** The log of a run as it is now; `null` if it was removed. */
export async function readLog(
  { runs, ownerId }: StreamRuns,
  runId: string,
): Promise<LoggedRun | null> {
  const events: RunEvent[] = [];
  for (;;) {
    const since = events.at(-1)?.sequence ?? 0;
    const page = await runs.read(runId, { ownerId, since }).catch(returned("not_found"));
    if (page instanceof RunEventsError) return null;
    events.push(...page.events);
    if (!page.hasMore) return { runId, runStatus: page.runStatus, events };
  }
}
