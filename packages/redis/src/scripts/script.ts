import { createHash } from "node:crypto";

/** A Lua script, known to the server by the hash of its text. */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

/**
 * Defines a script that only reads. It may run on a replica, unless it begins with {@link refuseOnReplica}, and on a server that is full or
 * has a broken disk.
 */
export function defineReading(lua: string): Script {
  return nameScript(lua);
}

/**
 * Defines a script that writes. Its first line makes the server refuse it before it begins if a write would be refused. That is so on a
 * replica, which may be out of date, with a broken disk, with too few replicas, and on a full server unless the script frees memory.
 */
export function defineWriting(lua: string, memory: "takes" | "frees" = "takes"): Script {
  return nameScript(memory === "frees" ? `#!lua flags=allow-oom\n${lua}` : `#!lua\n${lua}`);
}

/**
 * Lua that makes a replica refuse a reading script, by a removal that finds nothing. A first line as that of a writing script would also
 * refuse it with a broken disk, where reads must continue.
 */
export function refuseOnReplica(removal: "HDEL" | "XDEL" | "ZREM", key: string): string {
  return `
local refused = redis.pcall('${removal}', ${key}, '${removal === "XDEL" ? "0-1" : ""}')
if type(refused) == 'table' and string.sub(refused.err, 1, 8) == 'READONLY' then return refused end
`;
}

function nameScript(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
