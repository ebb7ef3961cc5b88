import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";
import type { PlaceHolder } from "./take-place.ts";

/**
 * Voids a run that does not exist: it can no longer be created with this ordinal. A run takes less than a day to create, so the mark lasts
 * a day.
 *
 * KEYS: head, the mark. ARGV: the ordinal. Answers `live`, `finished` or `void`.
 * @see clause S25 in `STORE.md`
 */
const VOID_RUN: Script = defineWriting(`
local head = redis.call('HMGET', KEYS[1], 'ordinal', 'finishedAtMs')
if head[1] == ARGV[1] then return head[2] and 'finished' or 'live' end
redis.call('SET', KEYS[2], '', 'EX', 86400)
return 'void'
`);

/** Voids the run, unless it exists. */
export async function sendVoidRun(
  connection: Connection,
  { runId, ordinal }: PlaceHolder,
): Promise<"live" | "finished" | "void"> {
  const { head } = connection.keys.ofRun(runId);
  const keys = [head, connection.keys.voided(runId, ordinal)];
  return (await connection.change(VOID_RUN, keys, [String(ordinal)])) as
    | "live"
    | "finished"
    | "void";
}
