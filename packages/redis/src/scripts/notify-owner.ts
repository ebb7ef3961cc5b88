import { ownerName } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";

/** How long polls can see a notification, in milliseconds. */
const KEPT_MS = 60_000;

/**
 * Notifies the subscriptions to an owner, as the commit of a run does its own: by a message, and by a head that changes, for the polls.
 *
 * KEYS: the head. ARGV: a new mark, the command that notifies, the channel.
 */
const NOTIFY_OWNER: Script = defineWriting(
  `
redis.call('HSET', KEYS[1], 'ordinal', ARGV[1], 'lastSequence', '0')
redis.call('PEXPIRE', KEYS[1], '${KEPT_MS}')
redis.pcall(ARGV[2], ARGV[3], '')
`,
  "frees",
);

/** Notifies of a run that its owner got or lost, without a wait. If that fails, core finds the run when it reads by itself. */
export function notifyOwner(connection: Connection, ownerId: string): void {
  const { keys, notify } = connection;
  const name = ownerName(ownerId);
  connection
    .run(NOTIFY_OWNER, [keys.ofRun(name).head], [crypto.randomUUID(), notify, keys.channel(name)])
    .catch(() => {
      // A notification may be lost.
    });
}
