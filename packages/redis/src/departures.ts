import type { RunStatus } from "@tm/run-events-core";
import { listedStatuses, STATUSES } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { type ListEntry, memberOf } from "./list-entries.ts";
import { announceRemoval, depart } from "./scripts/depart.ts";

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
  send(connection, entry, memberOf(entry), LIVE, []);
}

/** Says that a run may be removed, before it is. */
export async function announce(connection: Connection, run: DepartingRun): Promise<void> {
  const { ownerId } = run;
  const keys = topicsOf(run).map((topic) => connection.keys.departures(ownerId, "removing", topic));
  await announceRemoval(connection, keys, String(run.ordinal), nameOf(run));
}

/** Adds the departure of a run that was removed, without a wait, and removes its entries in lists. */
export function departFromAll(connection: Connection, run: DepartingRun): void {
  send(connection, run, nameOf(run), STATUSES, ["removing"]);
}

function send(
  connection: Connection,
  run: DepartingRun,
  entry: string,
  statuses: readonly RunStatus[],
  kinds: readonly "removing"[],
): void {
  const { keys } = connection;
  const { ownerId } = run;
  const scopes = topicsOf(run).map((topic): DepartureKeys => {
    const lists = statuses.map((status) => keys.list(ownerId, status, topic));
    const others = kinds.map((kind) => keys.departures(ownerId, kind, topic));
    return { departed: keys.departures(ownerId, "departed", topic), left: [...lists, ...others] };
  });
  const name = nameOf(run);
  // A run may depart twice, by its end and later by its removal, so the two departures have two names.
  const departure = kinds.includes("removing") ? `${name}:removed` : name;
  depart(connection, scopes, { run: name, entry, departure }).catch(() => {
    // The entry that announced it stays, and a reader adds the departure.
  });
}

/** How a run is written among departures and removals, and in lists unless it has waited. */
function nameOf({ ordinal, runId }: DepartingRun): string {
  return memberOf({ ordinal, runId, visit: 0 });
}

/** Those whose lists have the run: of all topics, and of its own. */
function topicsOf({ topic }: DepartingRun): readonly (string | null)[] {
  return topic === null ? [null] : [null, topic];
}
