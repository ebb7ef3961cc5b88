import { createHash } from "node:crypto";

/** A Lua script, known to the server by the hash of its text. */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
  /** What is run in its place where a full Redis has refused it unseen; `null` if that refusal stands. */
  readonly whenFull: Script | null;
}

/**
 * The refusal of a full Redis, in the words of one that refuses a script's command. A script that has `isFull` answers it in
 * place of whatever takes memory.
 */
export const OOM_LUA = "'OOM command not allowed when used memory > maxmemory'";

/** Names a script that only reads, and may run on a replica unless it begins with `refuseOnReplica`. */
export function defineReading(lua: string): Script {
  return nameScript(lua, null);
}

/**
 * Names a script that writes. Its first line has the server refuse it before it begins, where a write would be refused: on a
 * replica, which would judge by what it had some time ago, with a broken disk, without the replicas that are asked for.
 *
 * A full Redis refuses it too, though it may have nothing to write but an answer. So one that takes memory may ask to be run again
 * there as `"answers when full"`, with `isFull` true: then it must answer `OOM_LUA` before it writes. One of which the memory only
 * grows less is `"frees"`, and runs at once.
 */
export function defineWriting(
  lua: string,
  memory: "takes" | "answers when full" | "frees" = "takes",
): Script {
  if (memory === "frees") return nameScript(`#!lua flags=allow-oom\n${lua}`, null);
  if (memory === "takes") return nameScript(`#!lua\n${lua}`, null);
  const whenFull = nameScript(`#!lua flags=allow-oom\nlocal isFull = true\n${lua}`, null);
  return nameScript(`#!lua\nlocal isFull = false\n${lua}`, whenFull);
}

/**
 * Lua that has a replica refuse a script which reads, and else changes nothing. A shebang would refuse it with a broken disk as
 * well, where reading is to go on. KEYS: a hash or a sorted set, or nothing.
 */
export function refuseOnReplica(command: "HDEL" | "ZREM"): string {
  return `
local refused = redis.pcall('${command}', KEYS[1], '')
if type(refused) == 'table' and string.sub(refused.err, 1, 8) == 'READONLY' then return refused end
`;
}

function nameScript(lua: string, whenFull: Script | null): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex"), whenFull };
}
