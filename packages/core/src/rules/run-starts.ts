import { parseCursor } from "./cursor.ts";
import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";
import { parseTime, type ReaderStart } from "./history.ts";
import { isRunId } from "./run-id.ts";
import { MAX_TAIL } from "./tail-start.ts";

/** The most runs of one stream. @see clause W47 in `WIRE.md` of `@tm/run-events-http` */
export const MAX_RUNS = 100;

/** One run of a stream, and where to begin in it. */
export interface RunStart extends ReaderStart {
  readonly runId: string;
  readonly since: number;
}

/** An entry that fits: the id, and `-` with a tail or a cursor, which may have the time of its event. */
const ENTRY = /^([^:]+):(-?)(\d+)(?:@(.*))?$/;

/**
 * Writes an entry of `runs`: `a:120` begins after 120, `a:120@TIME` after the event 120 of that time, `b:-50` 50 events before the end.
 * @see clause W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeRunStart({ runId, since, at, tail }: RunStart): string {
  const time = at === undefined ? "" : `@${at}`;
  return `${runId}:${tail === undefined ? since + time : `-${tail}`}`;
}

/**
 * Reads `runs`, entries that commas separate.
 * @returns 1 to 100 runs, none of them twice
 * @throws RunEventsError `invalid_request`, which names the first bad entry
 * @see clause W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function parseRunStarts(text: string): readonly RunStart[] {
  const entries = text.split(",", MAX_RUNS + 1);
  if (entries.length > MAX_RUNS)
    throw refused(`Expected \`runs\` to have ${MAX_RUNS} runs at most, got more. Ask for fewer.`);
  const seen = new Set<string>();
  return entries.map((entry, at) => {
    const start = parseEntry(entry);
    if (start === null)
      throw refused(
        `Expected each entry of \`runs\` to be an id with a cursor, such as a:120 or a:120@2026-01-31T08:00:00.000Z, or with a tail from 1 to ${MAX_TAIL}, such as a:-50, got ${describeValue(entry)} as entry ${at + 1}.`,
      );
    if (seen.has(start.runId))
      throw refused(
        `Expected each run once in \`runs\`, got ${describeValue(start.runId)} again as entry ${at + 1}.`,
      );
    seen.add(start.runId);
    return start;
  });
}

function parseEntry(entry: string): RunStart | null {
  const [, runId = "", minus, number = "", at] = ENTRY.exec(entry) ?? [];
  const count = parseCursor(number);
  if (!isRunId(runId) || count === null) return null;
  if (at !== undefined) {
    const isTime = minus === "" && count > 0 && parseTime(at) !== null;
    return isTime ? { runId, since: count, at } : null;
  }
  if (minus === "") return { runId, since: count };
  return count >= 1 && count <= MAX_TAIL ? { runId, since: 0, tail: count } : null;
}

function refused(message: string): RunEventsError {
  return new RunEventsError("invalid_request", message);
}
