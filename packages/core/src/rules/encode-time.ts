const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, "0")}Z`);
const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, "0"));
let lastDay = Number.NaN;
let lastDate = "";
/** The last seconds that were encoded, each in its own place, and how their times begin. */
const seconds = Array<number>(64).fill(Number.NaN);
const prefixes = Array<string>(seconds.length).fill("");

function dateOf(day: number): string {
  if (day !== lastDay) {
    lastDate = new Date(day * 86_400_000).toISOString().slice(0, -"00:00:00.000Z".length);
    lastDay = day;
  }
  return lastDate;
}

function prefixOf(second: number): string {
  const day = Math.floor(second / 86_400);
  const ofDay = second - day * 86_400;
  const hour = TWO_DIGITS[Math.floor(ofDay / 3_600)] ?? "";
  const minute = TWO_DIGITS[Math.floor(ofDay / 60) % 60] ?? "";
  return `${dateOf(day)}${hour}:${minute}:${TWO_DIGITS[ofDay % 60] ?? ""}.`;
}

/**
 * Writes a store's time in the wire's form: ISO 8601 with milliseconds. It remembers some seconds, since `toISOString` takes longer
 * than the rest of a frame. Neighbours in a log mostly share a second; in a list, times of creation and of change come in turns. It
 * also remembers the last day, so that times of many different seconds need no `Date` either.
 * @see clause W2 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeTime(ms: number): string {
  const whole = Math.trunc(ms);
  const second = Math.floor(whole / 1_000);
  const place = second & (seconds.length - 1);
  if (seconds[place] !== second) {
    prefixes[place] = prefixOf(second);
    seconds[place] = second;
  }
  return (prefixes[place] ?? "") + (MILLISECONDS[whole - second * 1_000] ?? "");
}
