import { RunEventsError } from "@tm/run-events-core";
import type { ListedStatus } from "@tm/run-events-core/store";
import { STATUSES } from "@tm/run-events-core/wire";
import {
  checkAt,
  describeValue,
  invalidCursor,
  MAX_TAIL,
  parseCursor,
  parseRunStarts,
  type RunStart,
} from "@tm/run-events-core/wire";

/** Makes the error of a bad parameter, header or body. @see clause W3 in `WIRE.md` */
export function invalidRequest(message: string): RunEventsError {
  return new RunEventsError("invalid_request", message);
}

/**
 * A parameter that may be there once; `null` without it.
 * @throws RunEventsError `invalid_request`
 */
export function single(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  if (values.length > 1)
    throw invalidRequest(`Expected \`${name}\` once, got it ${values.length} times.`);
  return values[0] ?? null;
}

/**
 * Parses `since`, by default 0.
 * @throws RunEventsError `invalid_cursor`
 * @see clause W15 in `WIRE.md`
 */
export function parseSince(query: URLSearchParams): number {
  const values = query.getAll("since");
  const since = values.length > 1 ? null : parseCursor(values[0] ?? "0");
  if (since === null) throw invalidCursor(values.length > 1 ? values : values[0]);
  return since;
}

/**
 * Parses `at`, which belongs to `since`; `undefined` without it.
 * @throws RunEventsError `invalid_request`
 * @see clause W46 in `WIRE.md`
 */
export function parseAt(query: URLSearchParams, since: number): string | undefined {
  const at = single(query, "at") ?? undefined;
  checkAt(at, { since });
  return at;
}

/**
 * Parses `tail`, which takes the place of `since`; `null` without it.
 * @throws RunEventsError `invalid_request`
 * @see clause W45 in `WIRE.md`
 */
export function parseTail(query: URLSearchParams): number | null {
  const text = single(query, "tail");
  if (text === null) return null;
  if (query.has("since"))
    throw invalidRequest(
      "Expected `since` or `tail`, got both. Leave out `tail` if you have events already.",
    );
  const tail = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(tail <= MAX_TAIL))
    throw invalidRequest(
      `Expected \`tail\` to be an integer from 1 to ${MAX_TAIL}, got ${describeValue(text)}.`,
    );
  return tail;
}

/**
 * Parses `runs`, the runs of one stream.
 * @throws RunEventsError `invalid_request`
 * @see clause W47 in `WIRE.md`
 */
export function parseRuns(query: URLSearchParams): readonly RunStart[] {
  const text = single(query, "runs");
  if (text === null)
    throw invalidRequest(
      "Expected `runs`, such as runs=a:120,b:0, or `feed`, got none. Name the runs, or ask for a feed.",
    );
  return parseRunStarts(text);
}

/** Parses `limit`, an integer from 1 to `most`. @see clauses W14 and W15 in `WIRE.md` */
export function parseLimit(
  query: URLSearchParams,
  { most, fallback }: { readonly most: number; readonly fallback: number },
): number {
  const text = single(query, "limit");
  if (text === null) return fallback;
  const limit = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit <= most))
    throw invalidRequest(
      `Expected \`limit\` to be an integer from 1 to ${most}, got ${describeValue(text)}.`,
    );
  return limit;
}

/** Parses `wait`. @returns milliseconds. @see clause W17 in `WIRE.md` */
export function parseWaitMs(query: URLSearchParams): number {
  const text = single(query, "wait");
  if (text === null) return 0;
  const seconds = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= 30))
    throw invalidRequest(
      `Expected \`wait\` (\`waitSeconds\` in the client) to be a number of seconds from 0 to 30, got ${describeValue(text)}.`,
    );
  return seconds * 1_000;
}

const LISTED: readonly ListedStatus[] = ["live", ...STATUSES];

/** Parses `status`; `null` for all. @see clause W14 in `WIRE.md` */
export function parseStatus(query: URLSearchParams): ListedStatus | null {
  const text = single(query, "status");
  if (text === null) return null;
  const status = LISTED.find((one) => one === text);
  if (status !== undefined) return status;
  throw invalidRequest(
    `Expected \`status\` to be one of ${LISTED.join(", ")}, got ${describeValue(text)}.`,
  );
}

/** Takes `topic`, which the log checks; `null` for all. @see clause W34 in `WIRE.md` */
export function parseTopic(query: URLSearchParams): string | null {
  return single(query, "topic");
}

/**
 * Parses `last`: whether each run comes with its last event.
 * @throws RunEventsError `invalid_request`
 * @see clause W48 in `WIRE.md`
 */
export function parseLast(query: URLSearchParams): boolean {
  const text = single(query, "last");
  if (text === null || text === "true" || text === "false") return text === "true";
  throw invalidRequest(`Expected \`last\` to be true or false, got ${describeValue(text)}.`);
}

/** Parses `cursor`, the `nextCursor` of the page before; `null` for the newest runs. @see clause W14 in `WIRE.md` */
export function parseListCursor(query: URLSearchParams): number | null {
  const text = single(query, "cursor");
  const before = text === null ? null : parseCursor(text);
  if (text !== null && before === null)
    throw invalidRequest(
      `Expected \`cursor\` to be the \`nextCursor\` of a list, got ${describeValue(text)}.`,
    );
  return before;
}

/** Parses the `Run-Fence` header; `undefined` without one. @see clause W32 in `WIRE.md` */
export function parseFence(text: string | null): number | undefined {
  if (text === null) return undefined;
  const fence = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(fence))
    throw invalidRequest(
      `Expected \`Run-Fence\` to be a positive integer, got ${describeValue(text)}. Send the fence that the claim returned.`,
    );
  return fence;
}
