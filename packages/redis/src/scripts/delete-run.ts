import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";

/**
 * Removes a run whole that has finished. Answers whether it was there.
 *
 * KEYS: head, events, receipts. ARGV: the ordinal, the command that notifies, the channel.
 * @see clauses S17 and S24 in `STORE.md`
 */
const DELETE_RUN: Script = defineWriting(
  `
if redis.call('HGET', KEYS[1], 'ordinal') ~= ARGV[1] then return 0 end
redis.call('UNLINK', unpack(KEYS))
redis.pcall(ARGV[2], ARGV[3], '')
return 1
`,
  "frees",
);

/**
 * Removes the keys of a finished run, but none of its entries in lists and indexes.
 * @param ordinal names the run beyond its id
 * @returns whether it was there
 */
export async function sendDeleteRun(
  { keys, notify, change }: Connection,
  runId: string,
  ordinal: number,
): Promise<boolean> {
  const { head, events, receipts } = keys.ofRun(runId);
  const values = [String(ordinal), notify, keys.channel(runId)];
  return Number(await change(DELETE_RUN, [head, events, receipts], values)) === 1;
}
