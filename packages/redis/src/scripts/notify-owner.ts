import { ownerName } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { defineReading, type Script } from "./script.ts";

/**
 * Notifies the subscriptions to an owner of runs, as the script of an append does it of its run. KEYS: a key in the owner's slot. ARGV: the
 * command that notifies, the owner's channel, the channels of the runs.
 */
const NOTIFY_OWNER: Script = defineReading(`
for i = 3, #ARGV do redis.pcall(ARGV[1], ARGV[2], ARGV[i]) end
`);

/** The most runs that are named. Of more, the message says that any run may have changed. */
const MOST_NAMED = 16;

/** Notifies of runs that an owner got or lost, without a wait. If that fails, core finds them when it looks by itself. */
export function notifyOwner(
  connection: Connection,
  ownerId: string,
  runIds: readonly string[],
): void {
  const { keys, notify, run } = connection;
  const key = keys.list(ownerId, "queued", null);
  const channels = runIds.length > MOST_NAMED ? [""] : runIds.map(keys.channel);
  run(NOTIFY_OWNER, [key], [notify, keys.channel(ownerName(ownerId)), ...channels]).catch(() => {
    // A notification may be lost.
  });
}
