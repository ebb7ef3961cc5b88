import type { RunRecord } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { HEAD_FIELDS_LUA, parseHead } from "./head.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/**
 * Reads the current run. KEYS: head. ARGV: the name of the field of its metadata, or of none. Answers the fields, and the number of the
 * run's visits if it ever waited.
 * @see clause S10 in `STORE.md`
 */
const READ_HEAD: Script = defineReading(`${refuseOnReplica("HDEL")}
return redis.call('HMGET', KEYS[1], ${HEAD_FIELDS_LUA.replace("'metadata'", "ARGV[1]")}, 'visits')
`);

/** The current run, or `null` if it does not exist. Never read from a replica. */
export async function readHead(connection: Connection, runId: string): Promise<RunRecord | null> {
  return (await readVisitor(connection, runId))?.head ?? null;
}

/** The current run, and the number of its visits as of `ListEntry`. Without its metadata, that is the empty text. */
export async function readVisitor(
  connection: Connection,
  runId: string,
  withMetadata = true,
): Promise<{ readonly head: RunRecord; readonly visits: number } | null> {
  const { head: key } = connection.keys.ofRun(runId);
  const field = withMetadata ? "metadata" : "";
  const values = (await connection.run(READ_HEAD, [key], [field])) as readonly (string | null)[];
  const read = parseHead(runId, values);
  if (read === null) return null;
  const head = withMetadata ? read : { ...read, metadata: "" };
  return { head, visits: Number(values.at(-1) ?? 0) };
}
