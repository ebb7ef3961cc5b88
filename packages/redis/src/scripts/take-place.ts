import type { Connection } from "../connection.ts";
import { defineWriting, type Script } from "./script.ts";

/**
 * Takes a place for a run, unless another run has it. The place is `time holder`: the time at which it was taken, in milliseconds, and
 * the holder's ordinal and id.
 *
 * KEYS: the place. ARGV: the holder to be, the place to replace or empty.
 * Answers `{'taken'}` or `{'held', place, how long ago it was taken}`.
 * @see clause S25 in `STORE.md`
 */
const TAKE_PLACE: Script = defineWriting(`
local place = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
if not place or place == ARGV[2] then
  redis.call('SET', KEYS[1], string.format('%.0f', nowMs) .. ' ' .. ARGV[1])
  return { 'taken' }
end
local takenMs, holder = string.match(place, '^(%d+) (.*)$')
if holder == ARGV[1] then return { 'taken' } end
return { 'held', place, string.format('%.0f', nowMs - takenMs) }
`);

/** The holder of a place, as the place names it. */
export interface PlaceHolder {
  readonly ordinal: number;
  readonly runId: string;
}

/** A place that another run has. */
export interface HeldPlace {
  /** The text in the place. */
  readonly place: string;
  readonly holder: PlaceHolder;
  readonly ageMs: number;
}

/**
 * Takes a place.
 * @param replaced the text of a place whose holder is over; `null` to take a free one
 * @returns `null` if the run has the place now
 */
export async function sendTakePlace(
  connection: Connection,
  key: string,
  holder: PlaceHolder,
  replaced: string | null,
): Promise<HeldPlace | null> {
  const values = [encodeHolder(holder), replaced ?? ""];
  const reply = (await connection.change(TAKE_PLACE, [key], values)) as
    | readonly ["taken"]
    | readonly ["held", place: string, ageMs: string];
  if (reply[0] === "taken") return null;
  return { place: reply[1], holder: parseHolder(reply[1]), ageMs: Number(reply[2]) };
}

/** How a holder is written in its place. */
export function encodeHolder({ ordinal, runId }: PlaceHolder): string {
  return `${ordinal}:${runId}`;
}

function parseHolder(place: string): PlaceHolder {
  const holder = place.slice(place.indexOf(" ") + 1);
  const colon = holder.indexOf(":");
  return { ordinal: Number(holder.slice(0, colon)), runId: holder.slice(colon + 1) };
}
