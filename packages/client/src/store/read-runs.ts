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
  /** Whether the list has older runs. */
  readonly hasMore: boolean;
}

/**
 * Reads the newest `count` runs of the list, or fewer if it has no more.
 * @throws as `ask`
 */
export async function readRuns(
  { status, topic, ...options }: ServerOptions & RunsFilter,
  count: number,
  how: CallOptions,
): Promise<RunsPage> {
  const server = createServer(options);
  const read = new Map<string, RunSnapshot>();
  let cursor: string | null = null;
  let before: number;
  do {
    before = read.size;
    const limit = Math.min(MOST_RUNS, count - read.size);
    const query = { status, topic, limit, cursor: cursor ?? undefined };
    const page: { readonly runs: readonly RunSnapshot[]; readonly nextCursor: string | null } =
      await server.ask(listCall(query), how);
    for (const run of page.runs) read.set(run.runId, run);
    cursor = page.nextCursor;
    // A list whose cursors go round in a circle has no new runs.
  } while (cursor !== null && before < read.size && read.size < count);
  return { runs: [...read.values()], hasMore: cursor !== null };
}
