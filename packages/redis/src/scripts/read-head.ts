import type { RunRecord } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { HEAD_FIELDS_LUA, parseHead } from "./head.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/**
 * Reads the current run. KEYS: head. Answers the fields.
 * @see clause S10 in `STORE.md`
 */
const READ_HEAD: Script = defineReading(`${refuseOnReplica("HDEL")}
return redis.call('HMGET', KEYS[1], ${HEAD_FIELDS_LUA})
`);

/** The current run, or `null` if it does not exist. Never read from a replica. */
export async function readHead(connection: Connection, runId: string): Promise<RunRecord | null> {
  const { head } = connection.keys.ofRun(runId);
  const values = (await connection.run(READ_HEAD, [head], [])) as readonly (string | null)[];
  return parseHead(runId, values);
}
