import type { RunRecord } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { runDamaged } from "../failure.ts";
import { HEAD_FIELDS_LUA, parseHead } from "./head.ts";
import { defineWriting, OOM_LUA, type Script } from "./script.ts";

/**
 * Creates a run unless its id is in use. Answers the fields of the run that then has the id, or `{'lost'}` if the id is free but
 * keys of an earlier run remain. No command of this store leaves such keys.
 *
 * KEYS: head, events, receipts.
 * ARGV: ownerId, status, ordinal, metadata, topic or empty, the command that notifies, the channel.
 * @see clause S16 in `STORE.md`
 */
const CREATE_RUN: Script = defineWriting(
  `
local HEAD = KEYS[1]
if redis.call('EXISTS', HEAD) == 0 then
  if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return { 'lost' } end
  if isFull then return redis.error_reply(${OOM_LUA}) end
  local time = redis.call('TIME')
  local nowMs = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('HSET', HEAD, 'ownerId', ARGV[1], 'runStatus', ARGV[2], 'ordinal', ARGV[3], 'metadata', ARGV[4],
    'lastSequence', '0', 'phaseSequence', '0', 'createdAtMs', nowMs, 'updatedAtMs', nowMs)
  if ARGV[5] ~= '' then redis.call('HSET', HEAD, 'topic', ARGV[5]) end
  redis.pcall(ARGV[6], ARGV[7], '')
end
return redis.call('HMGET', HEAD, ${HEAD_FIELDS_LUA})
`,
  "answers when full",
);

/**
 * Creates a run unless its id is in use.
 * @returns the run that then has the id: this one, or an earlier one
 */
export async function sendCreateRun(
  connection: Connection,
  {
    runId,
    ownerId,
    runStatus,
    ordinal,
    metadata,
    topic,
  }: Pick<RunRecord, "runId" | "ownerId" | "runStatus" | "ordinal" | "metadata" | "topic">,
): Promise<RunRecord> {
  const { head, events, receipts } = connection.keys.ofRun(runId);
  const reply = (await connection.change(
    CREATE_RUN,
    [head, events, receipts],
    [
      ownerId,
      runStatus,
      String(ordinal),
      metadata,
      topic ?? "",
      connection.notify,
      connection.keys.channel(runId),
    ],
  )) as readonly (string | null)[];
  const run = reply[0] === "lost" && reply.length === 1 ? null : parseHead(runId, reply);
  if (run === null) throw runDamaged();
  return run;
}
