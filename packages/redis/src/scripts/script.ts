import { createHash } from "node:crypto";

/** A Lua script, known to the server by the hash of its text. */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
  /** What to run instead if a full Redis refused to run it; `null` if that refusal is final. */
  readonly whenFull: Script | null;
}

/**
 * The refusal of a full Redis, as a script's command gets it. A script with `isFull` answers this instead of using memory.
 */
export const OOM_LUA = "'OOM command not allowed when used memory > maxmemory'";

/** Defines a script that only reads. It may run on a replica, unless it begins with `refuseOnReplica`. */
export function defineReading(lua: string): Script {
  return nameScript(lua, null);
}

/**
 * Defines a script that writes. Its first line makes the server refuse it before it begins if a write would be refused: on a
 * replica, which may be out of date, with a broken disk, or with too few replicas.
 *
 * A full Redis refuses it too, even if it would write nothing. So a script that takes memory may be run again there as `"answers
 * when full"`, with `isFull` true: then it must answer `OOM_LUA` before it writes. A script that only frees memory is `"frees"`,
 * and runs at once.
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
 * Lua that makes a replica refuse a reading script, and changes nothing else. A shebang would also refuse it with a broken disk,
 * where reads must continue. KEYS: a hash or a sorted set, or nothing.
 */
export function refuseOnReplica(command: "HDEL" | "ZREM"): string {
  return `
local refused = redis.pcall('${command}', KEYS[1], '')
if type(refused) == 'table' and string.sub(refused.err, 1, 8) == 'READONLY' then return refused end
`;
}

/** The owner that a script asks for: `=ownerId`, or empty for any. */
export function encodeOwner(ownerId: string | null): string {
  return ownerId === null ? "" : `=${ownerId}`;
}

function nameScript(lua: string, whenFull: Script | null): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex"), whenFull };
}
