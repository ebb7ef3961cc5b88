import { type Head, recordOf, type RunName, runOf } from "../rules/head.ts";
import type { RunRecord } from "../rules/run.ts";
import type { OwnerQuery, ReadQuery, RunEventStore } from "../store/store.ts";

/** The number of runs that one read asks for at most. */
const MOST_READ = 1_024;

/** Asks for a run's head alone, with its metadata. */
export function headQuery({ ownerId, runId }: RunName): ReadQuery {
  return { ownerId, runId, since: 0, limit: 0, maxBytes: 1, wantsMetadata: true };
}

/**
 * Lists an owner's runs, newest first, with their metadata. A run that is removed meanwhile is left out, and the next one takes its place: a
 * list that is shorter than its limit is the last.
 */
export async function listRuns(
  store: Pick<RunEventStore, "list" | "read">,
  query: OwnerQuery,
): Promise<readonly RunRecord[]> {
  const heads = await store.list(query);
  const runs: RunRecord[] = [];
  for (let at = 0; at < heads.length; at += MOST_READ) {
    runs.push(...(await readRuns(store, heads.slice(at, at + MOST_READ))));
  }
  const last = heads.at(-1);
  const limit = query.limit - runs.length;
  if (last === undefined || heads.length < query.limit || limit === 0) return runs;
  return [...runs, ...(await listRuns(store, { ...query, before: last.ordinal, limit }))];
}

async function readRuns(
  store: Pick<RunEventStore, "read">,
  heads: readonly Head[],
): Promise<readonly RunRecord[]> {
  const found = await store.read(heads.map(headQuery));
  return heads.flatMap((head, at) => {
    const metadata = found[at]?.head.ordinal === head.ordinal && found[at]?.head.metadata;
    return typeof metadata === "string" ? [recordOf(runOf({ ...head, metadata }))] : [];
  });
}
