import type { Connection } from "../connection.ts";
import { type DueEntry, dueMember } from "../due.ts";
import { defineWriting, type Script } from "./script.ts";

/**
 * Moves existing entries to later or to earlier scores. That takes no memory, so a full Redis allows it: a purge, which makes
 * room again, begins with it. KEYS: the index. ARGV: `GT` or `LT`, then score and member of each.
 */
const MOVE: Script = defineWriting(
  `
return redis.call('ZADD', KEYS[1], 'XX', unpack(ARGV))
`,
  "frees",
);

/** How many entries are moved in one command: Lua's `unpack` has a limit. */
const MOVES = 1_000;

/** Moves existing entries, but only to a later time (`GT`) or only to an earlier time (`LT`). */
export async function moveDue(
  connection: Connection,
  index: string,
  to: "GT" | "LT",
  moves: readonly { readonly entry: DueEntry; readonly atMs: number }[],
): Promise<void> {
  for (let at = 0; at < moves.length; at += MOVES) {
    const scored = moves
      .slice(at, at + MOVES)
      .flatMap(({ entry, atMs }) => [String(atMs), dueMember(entry)]);
    await connection.run(MOVE, [index], [to, ...scored]);
  }
}
