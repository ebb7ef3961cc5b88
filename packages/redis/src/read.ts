import {
  eventBytes,
  type ReadQuery,
  type ReadResult,
  type StoredEvent,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { runDamaged } from "./failure.ts";
import { parseHead } from "./head.ts";
import { READ } from "./read-script.ts";

const ENVELOPE_BYTES = String(eventBytes(0));

type ReadReply =
  | null
  | readonly ["lost"]
  | readonly [
      "page",
      head: readonly (string | null)[],
      phaseAtSince: string | null,
      events: readonly string[],
    ];

/** Reads a run's head and a page of its events as of one instant. @see S9, S12 */
export async function readPage(
  connection: Connection,
  query: ReadQuery,
): Promise<ReadResult | null> {
  const { runId, ownerId, since, limit, maxBytes } = query;
  const { head, events } = connection.keys.ofRun(runId);
  const reply = (await connection.run(
    READ,
    [head, events],
    [
      ownerId === null ? "" : `=${ownerId}`,
      String(since),
      String(limit),
      String(maxBytes),
      ENVELOPE_BYTES,
    ],
  )) as ReadReply;
  if (reply === null) return null;
  if (reply[0] === "lost") throw runDamaged();
  const [, headValues, phaseAtSince, flat] = reply;
  const run = parseHead(runId, headValues);
  if (run === null) return null;
  return { run, phaseAtSince, events: parseEvents(flat, since) };
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
