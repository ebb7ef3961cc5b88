import type { DeleteOutcome } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { defineWriting, encodeOwner, type Script } from "./script.ts";

/**
 * Removes a finished run whole.
 *
 * KEYS: head, events, receipts.
 * ARGV: `=ownerId` or empty, the ordinal or empty, the command that notifies, the channel.
 * Answers `{'not_found'}`, `{'active'}` or `{'deleted', ownerId, ordinal, topic or nil, whether it is exclusive or nil}`.
 * @see clauses S17 and S24 in `STORE.md`
 */
const DELETE_RUN: Script = defineWriting(
  `
local head = redis.call('HMGET', KEYS[1], 'ownerId', 'ordinal', 'finishedAtMs', 'topic', 'exclusive')
if not head[1] or (ARGV[1] ~= '' and ARGV[1] ~= '=' .. head[1]) then return { 'not_found' } end
if ARGV[2] ~= '' and ARGV[2] ~= head[2] then return { 'not_found' } end
if not head[3] then return { 'active' } end
redis.call('UNLINK', unpack(KEYS))
redis.pcall(ARGV[3], ARGV[4], '')
return { 'deleted', head[1], head[2], head[4], head[5] }
`,
  "frees",
);

/** Which run to remove. */
export interface DeleteRequest {
  readonly runId: string;
  /** Answers `not_found` unless the run is this owner's; `null` for any owner. */
  readonly ownerId: string | null;
  /** Answers `not_found` if another run has the id by now; `null` for any run. */
  readonly ordinal: string | null;
}

type DeleteReply =
  | readonly [outcome: Exclude<DeleteOutcome, "deleted">]
  | readonly [
      outcome: "deleted",
      ownerId: string,
      ordinal: string,
      topic: string | null,
      exclusive: string | null,
    ];

/** Removes the keys of a run, but none of its entries in lists and indexes. */
export async function sendDeleteRun(
  connection: Connection,
  { runId, ownerId, ordinal }: DeleteRequest,
): Promise<DeleteReply> {
  const { keys, notify } = connection;
  const { head, events, receipts } = keys.ofRun(runId);
  const values = [encodeOwner(ownerId), ordinal ?? "", notify, keys.channel(runId)];
  return (await connection.change(DELETE_RUN, [head, events, receipts], values)) as DeleteReply;
}
