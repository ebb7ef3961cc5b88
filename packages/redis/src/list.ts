import {
  type DueQuery,
  dueKindOf,
  type Head,
  isListed,
  nameKey,
  type OwnerQuery,
  type RunName,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";
import { BUCKETS } from "./keys.ts";
import { readHeads } from "./read.ts";
import { LIST } from "./scripts/list.ts";

/** A member of a sorted set. */
interface Entry {
  readonly member: string;
  readonly score: number;
}

/**
 * An owner's runs, newest first. Their heads are read after the lists, in scripts of a few runs, so that a long list does not occupy the server.
 * A run that has left the list meanwhile makes room for the next.
 */
export async function listOwned(
  connection: Connection,
  { ownerId, topic, runStatus, before, limit }: OwnerQuery,
): Promise<readonly Head[]> {
  const lists = connection.keys.lists(ownerId, topic, runStatus);
  const found: Head[] = [];
  let below = before;
  while (found.length < limit) {
    const most = limit - found.length;
    const from = below === null ? "+inf" : `(${below}`;
    const sets = await readEntries(connection, lists, [from, String(most), ""]);
    const newest = sets.flat().toSorted((a, b) => b.score - a.score);
    const entries = newest.slice(0, most);
    const heads = await readHeads(
      connection,
      entries.map(({ member }) => ({ ownerId, runId: member })),
    );
    found.push(...heads.filter((head) => isListed(head, { runStatus, topic })));
    below = entries.at(-1)?.score ?? below;
    if (entries.length < most) break;
  }
  return found;
}

/** Runs of all owners that are due, the earliest first: those of each bucket, merged. */
export async function listDue(
  connection: Connection,
  { due, forMs, limit }: DueQuery,
): Promise<readonly Head[]> {
  const keys = Array.from({ length: BUCKETS }, (_, bucket) => connection.keys.due(bucket, due));
  const range = ["", String(limit), String(forMs)];
  const scripts = isCluster(connection.redis) ? keys.map((key) => [key]) : [keys];
  const sets = await Promise.all(scripts.map((some) => readEntries(connection, some, range)));
  const entries = sets
    .flat(2)
    .toSorted((a, b) => a.score - b.score)
    .slice(0, limit);
  const heads = await readHeads(
    connection,
    entries.map(({ member }) => parseName(member)),
  );
  // Runs that have changed meanwhile wait for something else, or for longer.
  const scores = new Map(entries.map(({ member, score }) => [member, score]));
  return heads.filter(
    (head) => dueKindOf(head) === due && head.dueMs <= (scores.get(nameKey(head)) ?? 0),
  );
}

/** The run of a `nameKey`. */
function parseName(text: string): RunName {
  const space = text.indexOf(" ");
  return { runId: text.slice(0, space), ownerId: text.slice(space + 1) };
}

async function readEntries(
  connection: Connection,
  keys: readonly string[],
  range: readonly string[],
): Promise<readonly (readonly Entry[])[]> {
  const sets = (await connection.run(LIST, keys, range)) as readonly (readonly string[])[];
  return sets.map((flat) =>
    Array.from({ length: flat.length / 2 }, (_, at) => {
      return { member: flat[at * 2] ?? "", score: Number(flat[at * 2 + 1]) };
    }),
  );
}
