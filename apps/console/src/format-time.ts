const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A span in at most two units: `840 ms`, `12.4 s`, `3 m 05 s`, `2 h 07 m`, `4 d 2 h`. A negative span counts as 0. */
export function formatSpan(spanMs: number): string {
  const ms = Math.max(0, spanMs);
  if (ms < SECOND_MS) return `${Math.floor(ms)} ms`;
  if (ms < MINUTE_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR_MS) return twoUnits(ms, MINUTE_MS, "m", SECOND_MS, "s");
  if (ms < DAY_MS) return twoUnits(ms, HOUR_MS, "h", MINUTE_MS, "m");
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}

function twoUnits(ms: number, whole: number, unit: string, part: number, partUnit: string): string {
  const rest = Math.floor((ms % whole) / part);
  return `${Math.floor(ms / whole)} ${unit} ${String(rest).padStart(2, "0")} ${partUnit}`;
}

/** The age of something, in one unit: `now`, `40 s`, `5 m`, `3 h`, `12 d`. */
export function formatAge(ageMs: number): string {
  if (ageMs < 5 * SECOND_MS) return "now";
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / SECOND_MS)} s`;
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} m`;
  if (ageMs < DAY_MS) return `${Math.floor(ageMs / HOUR_MS)} h`;
  return `${Math.floor(ageMs / DAY_MS)} d`;
}

/** The time of an event from the run's first: `+0.000`, `+12.345`, `+1:02.345`, `+1:01:02.345`. */
export function formatOffset(offsetMs: number): string {
  const ms = Math.max(0, offsetMs);
  const minutes = Math.floor(ms / MINUTE_MS);
  const seconds = ((ms % MINUTE_MS) / SECOND_MS).toFixed(3);
  if (minutes === 0) return `+${seconds}`;
  const tail = seconds.padStart(6, "0");
  if (minutes < 60) return `+${minutes}:${tail}`;
  return `+${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
}

const COUNT = new Intl.NumberFormat("en");

/** A number with separated thousands. */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** A count of events, in words. */
export function formatEvents(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "event" : "events"}`;
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/**
 * A time in the reader's time zone.
 * @param iso as the server wrote it
 */
export function formatMoment(iso: string): string {
  return MOMENT.format(new Date(iso));
}

const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/**
 * A day in the reader's time zone, with its year only if that is not the year of `nowMs`.
 * @param iso as the server wrote it
 */
export function formatDay(iso: string, nowMs: number): string {
  const day = new Date(iso);
  const isThisYear = day.getFullYear() === new Date(nowMs).getFullYear();
  return (isThisYear ? DAY : DAY_OF_YEAR).format(day);
}
