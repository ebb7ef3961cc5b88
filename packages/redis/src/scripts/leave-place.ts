import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";
import { encodeHolder, type PlaceHolder } from "./take-place.ts";

/** Frees a place, unless another run has it. KEYS: the place. ARGV: the holder. @see clause S25 in `STORE.md` */
const LEAVE_PLACE: Script = defineWriting(
  `
local place = redis.call('GET', KEYS[1])
if place and string.match(place, '^%d+ (.*)$') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
`,
  "frees",
);

/** Frees a place that this run has. */
export async function sendLeavePlace(
  connection: Connection,
  key: string,
  holder: PlaceHolder,
): Promise<void> {
  await connection.change(LEAVE_PLACE, [key], [encodeHolder(holder)]);
}
