import {
  type ChangedQuery,
  type ChangedRuns,
  type ChangedScope,
  changedWork,
  type DeparturesPage,
  type DeparturesQuery,
  listedStatuses,
  type LivePosition,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { departFromAll, departFromLive, type DepartingRun } from "./departures.ts";
import { parseListMember } from "./list-entries.ts";
import { readDepartures, type ReadDepartures } from "./scripts/read-departures.ts";
import { readHead } from "./scripts/read-head.ts";
import { type FoundPosition, readPositions } from "./scripts/read-positions.ts";

const LIVE = listedStatuses("live");

/** A mark: the name of the set of departures, and a score in it. Before the first departure, there is no name. */
const MARK = /^([0-9a-f-]*)_(\d{1,16})$/;

/**
 * An owner's changed runs.
 * @see clause S29 in `STORE.md`
 */
export async function listChanged(
  connection: Connection,
  query: ChangedQuery,
): Promise<ChangedRuns> {
  let live: readonly LivePosition[] = [];
  return changedWork(query)({
    async selectDepartures(asked) {
      const found = await findDepartures(connection, asked);
      ({ live } = found);
      return found.page;
    },
    selectLive: () => live,
    async selectHeads(runIds) {
      const heads = await Promise.all(runIds.map((runId) => readHead(connection, runId)));
      return heads.filter((head) => head !== null);
    },
  });
}

/** A run that may have departed. */
interface OpenRun {
  readonly run: DepartingRun & { readonly visit: number };
  /** Whether it is being removed; otherwise it is in a live list. */
  readonly isRemoving: boolean;
  readonly found: FoundPosition | null;
}

interface FoundDepartures {
  readonly page: DeparturesPage;
  readonly live: readonly LivePosition[];
}

/**
 * Reads the departures and the runs that may depart, then the runs themselves. So what departs in between is still among these, or
 * departs after the mark.
 */
async function findDepartures(
  connection: Connection,
  { ownerId, topic, since, limit }: DeparturesQuery,
): Promise<FoundDepartures> {
  const { keys } = connection;
  const scope = { ownerId, topic };
  const [, name, score = "0"] = MARK.exec(since ?? "") ?? [];
  const removing = keys.departures(ownerId, "removing", topic);
  const lists = LIVE.map((status) => keys.list(ownerId, status, topic));
  const departed = keys.departures(ownerId, "departed", topic);
  const asked = { departed, open: [removing, ...lists] };
  const read = await readDepartures(connection, asked, Number(score), limit);
  const open = await findOpen(connection, scope, read);
  const mark = `${read.name}_${read.lastScore}`;
  const isOfNone = name === "" && score === "0";
  const isEmpty = isOfNone && read.name === "";
  const isKnown = isEmpty || ((isOfNone || name === read.name) && read.hasScore);
  const hasMore = read.departures.length === limit;
  const late = repair(connection, open);
  const departures = [
    ...read.departures.map((one) => ({
      runId: parseListMember(one.member).runId,
      mark: `${read.name}_${one.score}`,
    })),
    // Their own marks come later.
    ...(hasMore ? [] : late).map((runId) => ({ runId, mark })),
  ];
  // A run whose status is changing is in two lists.
  const live = new Map<number, LivePosition>();
  for (const { found, isRemoving } of open) {
    if (found !== null && !found.isFinished && !isRemoving) live.set(found.ordinal, found);
  }
  const page = { isKnown, departures, hasMore, mark, nowMs: read.nowMs };
  return { page, live: [...live.values()] };
}

async function findOpen(
  connection: Connection,
  scope: ChangedScope,
  { open: [removing = [], ...lists] }: ReadDepartures,
): Promise<readonly OpenRun[]> {
  const members = [
    ...removing.map((member) => ({ member, isRemoving: true })),
    ...[...new Set(lists.flat())].map((member) => ({ member, isRemoving: false })),
  ].map(({ member, isRemoving }) => ({ ...parseListMember(member), isRemoving }));
  const found = await readPositions(
    connection,
    members.map(({ runId }) => runId),
  );
  return members.map(({ runId, ordinal, visit, isRemoving }, at) => {
    const position = found[at] ?? null;
    return {
      run: { ...scope, runId, ordinal, visit },
      isRemoving,
      // Another run has the id by now.
      found: position?.ordinal === ordinal ? position : null,
    };
  });
}

/**
 * Adds the departures that a process has not added, because it died or has not come to it.
 * @returns the ids of these runs
 */
function repair(connection: Connection, open: readonly OpenRun[]): readonly string[] {
  const late: string[] = [];
  for (const { run, isRemoving, found } of open) {
    // Without its run, an entry of a live list is of one that is being created or removed.
    const hasDeparted = isRemoving ? found === null : found?.isFinished === true;
    if (!hasDeparted) continue;
    late.push(run.runId);
    if (isRemoving) departFromAll(connection, [run]);
    else departFromLive(connection, run);
  }
  return late;
}
