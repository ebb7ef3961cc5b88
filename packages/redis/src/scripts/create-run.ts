import type { CreateClaim, RunRecord } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { isCluster } from "../driver.ts";
import { runDamaged } from "../failure.ts";
import { NEXT_FENCE } from "./claim.ts";
import { HEAD_FIELDS_LUA, parseHead } from "./head.ts";
import { defineWriting, OOM_LUA, type Script } from "./script.ts";

/**
 * Creates a run unless its id is in use, and claims it if asked to. As with a claim, the lease has its entry in the index of leases before
 * it is granted: without the index among the keys and without an entry, nothing is created and the answer is `unindexed`.
 *
 * KEYS: head, events, receipts, the mark of a voided run; where one script may use both, the index of leases.
 * ARGV: ownerId, status, ordinal, metadata, topic or empty, the command that notifies, the channel, the run's id, whether it is exclusive; for a claim leaseMs, its
 * key after `=` or `~`, the worker's name or empty, the mark of the entry that was made or empty.
 * Answers the run that then has the id, as `{'run', fields, the key of the claim that got its lease or nil}`; `{'unindexed', mark,
 * leaseExpiresAtMs}`; `{'void'}` if the run was voided, since it took too long after it had taken its place; or `{'lost'}` if the id is free but keys of an earlier run remain. No command of this store leaves such keys.
 * @see clauses S16 and S26 in `STORE.md`
 */
const CREATE_RUN: Script = defineWriting(
  `
local HEAD, ordinal, leaseMs = KEYS[1], ARGV[3], ARGV[10]
local fence, expiresAtMs
${NEXT_FENCE}
if redis.call('EXISTS', HEAD) == 0 then
  if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return { 'lost' } end
  if redis.call('EXISTS', KEYS[4]) == 1 then return { 'void' } end
  if isFull then return redis.error_reply(${OOM_LUA}) end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local nowMs = string.format('%.0f', now)
  if leaseMs then
    fence = string.match(ARGV[13], '^' .. ordinal .. '/(%d+)$') or nextFence(now)
    expiresAtMs = string.format('%.0f', now + leaseMs)
    local mark = ordinal .. '/' .. fence
    if KEYS[5] then
      redis.call('ZADD', KEYS[5], 'LT', expiresAtMs, mark .. ':' .. ARGV[8])
    elseif ARGV[13] ~= mark then
      return { 'unindexed', mark, expiresAtMs }
    end
  end
  redis.call('HSET', HEAD, 'ownerId', ARGV[1], 'runStatus', ARGV[2], 'ordinal', ordinal, 'metadata', ARGV[4],
    'lastSequence', '0', 'createdAtMs', nowMs, 'updatedAtMs', nowMs)
  if ARGV[5] ~= '' then redis.call('HSET', HEAD, 'topic', ARGV[5]) end
  if ARGV[9] ~= '' then redis.call('HSET', HEAD, 'exclusive', ARGV[9]) end
  if leaseMs then
    redis.call('HSET', HEAD, 'fence', fence, 'leaseExpiresAtMs', expiresAtMs, 'claimKey', ARGV[11])
    if ARGV[12] ~= '' then redis.call('HSET', HEAD, 'worker', ARGV[12], 'workerFence', fence) end
  end
  redis.pcall(ARGV[6], ARGV[7], '')
end
return { 'run', redis.call('HMGET', HEAD, ${HEAD_FIELDS_LUA}), redis.call('HGET', HEAD, 'claimKey') }
`,
  "answers when full",
);

/** A run to create. */
interface NewRun extends Pick<
  RunRecord,
  "runId" | "ownerId" | "runStatus" | "ordinal" | "metadata" | "topic"
> {
  readonly exclusive: boolean;
  /** With the key as a claim sends it. */
  readonly claim: (CreateClaim & { readonly claimKey: string }) | null;
}

/** The run that has the id after the script, and the key of the claim that got its lease. */
export interface RunInPlace {
  readonly outcome: "run";
  readonly run: RunRecord;
  readonly claimKey: string | null;
}

/** What the script did. */
export type CreateReply =
  | RunInPlace
  | { readonly outcome: "void" }
  | { readonly outcome: "unindexed"; readonly mark: string; readonly leaseExpiresAtMs: string };

type RawReply =
  | readonly ["run", head: readonly (string | null)[], claimKey: string | null]
  | readonly ["unindexed", mark: string, leaseExpiresAtMs: string]
  | readonly ["void"]
  | readonly ["lost"];

/**
 * Creates a run unless its id is in use.
 * @param mark the mark of the entry that was made for its lease; `null` before that
 */
export async function sendCreateRun(
  connection: Connection,
  run: NewRun,
  mark: string | null,
): Promise<CreateReply> {
  const { redis, keys } = connection;
  const { runId, ownerId, runStatus, ordinal, metadata, topic, exclusive, claim } = run;
  const { head, events, receipts } = keys.ofRun(runId);
  const values = [ownerId, runStatus, String(ordinal), metadata, topic ?? ""];
  values.push(connection.notify, keys.channel(runId), runId, exclusive ? "1" : "");
  if (claim !== null) {
    values.push(String(claim.leaseMs), claim.claimKey, claim.worker ?? "", mark ?? "");
  }
  const index = claim === null || isCluster(redis) ? [] : [keys.held];
  const scriptKeys = [head, events, receipts, keys.voided(runId, ordinal), ...index];
  const reply = (await connection.change(CREATE_RUN, scriptKeys, values)) as RawReply;
  if (reply[0] === "unindexed") {
    return { outcome: reply[0], mark: reply[1], leaseExpiresAtMs: reply[2] };
  }
  if (reply[0] === "void") return { outcome: reply[0] };
  const created = reply[0] === "lost" ? null : parseHead(runId, reply[1]);
  if (reply[0] === "lost" || created === null) throw runDamaged();
  return { outcome: reply[0], run: created, claimKey: reply[2] };
}
