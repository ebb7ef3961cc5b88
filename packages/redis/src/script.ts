import { createHash } from "node:crypto";

/** A Lua script, known to the server by the hash of its text. */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

/** Names a script. */
export function defineScript(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
