import {
  type Head,
  eventBytes,
  type ReadQuery,
  type ReadResult,
  type RunName,
  type StoredEvent,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { runDamaged } from "./failure.ts";
import { parseHead } from "./head-text.ts";
import { READ } from "./scripts/read.ts";
import { packScripts } from "./slots.ts";

const ENVELOPE_BYTES = String(eventBytes(0));

type Reply =
  | null
  | readonly ["lost"]
  | readonly [head: string, metadata: string | null, events: readonly string[]];

/**
 * Reads runs, each as of one instant.
 * @see clauses S9 and S12 in `STORE.md`
 */
export async function readRuns(
  connection: Connection,
  queries: readonly ReadQuery[],
): Promise<readonly (ReadResult | null)[]> {
  const results: (ReadResult | null)[] = queries.map(() => null);
  const scripts = packScripts(connection, queries, ({ limit }) => limit > 0);
  await Promise.all(
    scripts.map(async (script) => {
      const items = script.map(({ item }) => item);
      const replies = await send(connection, items);
      script.forEach(({ item, at }, nth) => {
        results[at] = parseResult(item, replies[nth] ?? null);
      });
    }),
  );
  return results;
}

/** Reads the heads of runs, without those that do not exist. */
export async function readHeads(
  connection: Connection,
  names: readonly RunName[],
): Promise<readonly Head[]> {
  const only = { since: 0, limit: 0, maxBytes: 0 };
  const results = await readRuns(
    connection,
    names.map(({ ownerId, runId }) => ({ ownerId, runId, ...only })),
  );
  return results.flatMap((result) => (result === null ? [] : [result.head]));
}

async function send(
  connection: Connection,
  queries: readonly ReadQuery[],
): Promise<readonly Reply[]> {
  const scriptKeys: string[] = [];
  const values: string[] = [ENVELOPE_BYTES];
  for (const query of queries) {
    const { since, limit, maxBytes, wantsMetadata = false } = query;
    const { head, events, metadata } = connection.keys.ofRun(query);
    scriptKeys.push(head, events, metadata);
    values.push(wantsMetadata ? "1" : "", String(since), String(limit), String(maxBytes));
  }
  return (await connection.run(READ, scriptKeys, values)) as Reply[];
}

function parseResult(query: ReadQuery, reply: Reply): ReadResult | null {
  if (reply === null) return null;
  if (reply[0] === "lost") throw runDamaged();
  const [text, metadata = null, flat = []] = reply;
  const { head } = parseHead(query, text);
  return {
    head: metadata === null ? head : { ...head, metadata },
    events: parseEvents(flat, query.since),
  };
}

function parseEvents(flat: readonly string[], since: number): readonly StoredEvent[] {
  const events: StoredEvent[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const [eventType = "", payload = "", createdAt] = flat.slice(at, at + 3);
    const sequence = since + events.length + 1;
    events.push({ sequence, eventType, payload, createdAtMs: Number(createdAt) });
  }
  return events;
}
