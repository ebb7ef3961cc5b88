import type { RunSnapshot } from "@tm/run-events-core";
import type { RunsFilter } from "../http/queries.ts";
import type { CallOptions } from "../http/retrying.ts";
import { listCall } from "../http/run-calls.ts";
import { createServer, type ServerOptions } from "../http/server.ts";

/** The most runs of one answer. @see clause W14 in `WIRE.md` */
const MOST_RUNS = 200;

/** Runs of a list, newest first. */
export interface RunsPage {
  readonly runs: readonly RunSnapshot[];
  /** Where the list goes on; `null` at its end. */
  readonly nextCursor: string | null;
}

/** The runs of a list to read. */
export interface RunsRange {
  readonly count: number;
  /** Where to begin; `null` for the newest run. */
  readonly cursor: string | null;
}

/**
 * Reads `count` runs of the list, or fewer at its end.
 * @throws as `ask`
 */
export async function readRuns(
  { status, topic, ...options }: ServerOptions & RunsFilter,
  { count, cursor }: RunsRange,
  how: CallOptions,
): Promise<RunsPage> {
  const server = createServer(options);
  const read = new Map<string, RunSnapshot>();
  let nextCursor = cursor;
  let before: number;
  do {
    before = read.size;
    const limit = Math.min(MOST_RUNS, count - read.size);
    const query = { status, topic, limit, cursor: nextCursor ?? undefined };
    const page = await server.ask<RunsPage>(listCall(query), how);
    for (const run of page.runs) read.set(run.runId, run);
    ({ nextCursor } = page);
    // A list whose cursors go round in a circle has no new runs.
  } while (nextCursor !== null && before < read.size && read.size < count);
  return { runs: [...read.values()], nextCursor };
}
