import type { RunStatus } from "@tm/run-events-core";
import { listedStatuses, STATUSES } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { type ListEntry, memberOf } from "./list-entries.ts";
import { announceRemovals, depart, type NamedDeparture } from "./scripts/depart.ts";

/**
 * A run that departs: from the live ones by its end, or from all by its removal. The run and its owner's lists are in different slots,
 * which a cluster cannot change in one step. So an entry says beforehand that the run may depart: the one in a live list, or one among
 * those that are being removed. One script of the owner's slot then takes that entry away and adds the departure. A reader of
 * departures looks at these entries, too, and does the step for those whose run has departed. So wherever a process dies, no
 * departure is lost.
 * @see clause S29 in `STORE.md`
 */
export type DepartingRun = Omit<ListEntry, "runStatus" | "visit">;

/** The keys of a departure in the lists of one scope: the departures, and the sorted sets whose entry it removes. */
export interface DepartureKeys {
  readonly departed: string;
  readonly left: readonly string[];
}

const LIVE = listedStatuses("live");

/**
 * Adds the departure of a run that has ended, without a wait. If that fails, a reader does it.
 * @param entry one of its entries in the live lists
 */
export function departFromLive(connection: Connection, entry: Omit<ListEntry, "runStatus">): void {
  const run = nameOf(entry);
  send(connection, entry, LIVE, [], [{ run, entry: memberOf(entry), departure: run }]);
}

/**
 * Says that runs may be removed, before they are.
 * @param runs of one owner and topic
 */
export async function announce(
  connection: Connection,
  runs: readonly [DepartingRun, ...DepartingRun[]],
): Promise<void> {
  const { ownerId } = runs[0];
  const keys = topicsOf(runs[0]).map((topic) =>
    connection.keys.departures(ownerId, "removing", topic),
  );
  const entries = runs.map((run) => ({ ordinal: run.ordinal, member: nameOf(run) }));
  await announceRemovals(connection, keys, entries);
}

/**
 * Adds the departures of runs that were removed, without a wait, and removes their entries in lists.
 * @param runs of one owner and topic
 */
export function departFromAll(
  connection: Connection,
  runs: readonly [DepartingRun, ...DepartingRun[]],
): void {
  // A run may depart twice, by its end and later by its removal, so the two departures have two names.
  const departures = runs.map((run) => {
    const name = nameOf(run);
    return { run: name, entry: name, departure: `${name}:removed` };
  });
  send(connection, runs[0], STATUSES, ["removing"], departures);
}

function send(
  connection: Connection,
  scope: Pick<DepartingRun, "ownerId" | "topic">,
  statuses: readonly RunStatus[],
  kinds: readonly "removing"[],
  departures: readonly NamedDeparture[],
): void {
  const { keys } = connection;
  const { ownerId } = scope;
  const scopes = topicsOf(scope).map((topic): DepartureKeys => {
    const lists = statuses.map((status) => keys.list(ownerId, status, topic));
    const others = kinds.map((kind) => keys.departures(ownerId, kind, topic));
    return { departed: keys.departures(ownerId, "departed", topic), left: [...lists, ...others] };
  });
  depart(connection, scopes, departures).catch(() => {
    // The entries that announced them stay, and a reader adds the departures.
  });
}

/** How a run is written among departures and removals, and in lists unless it has waited. */
function nameOf({ ordinal, runId }: Pick<DepartingRun, "ordinal" | "runId">): string {
  return memberOf({ ordinal, runId, visit: 0 });
}

/** Those whose lists have the run: of all topics, and of its own. */
function topicsOf({ topic }: Pick<DepartingRun, "topic">): readonly (string | null)[] {
  return topic === null ? [null] : [null, topic];
}
