import { type EventDraft, JsonText, RunEventsError, type RunStatus } from "@tm/run-events-core";
import {
  invalidCursor,
  parseCursor,
  describeValue,
  eachJsonItem,
  eachJsonMember,
} from "@tm/run-events-core/wire";
import type { JsonBody } from "./body.ts";

/** A bad parameter, header or body. @see W3 */
export function invalidRequest(message: string): RunEventsError {
  return new RunEventsError("invalid_request", message);
}

function single(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  if (values.length > 1)
    throw invalidRequest(`Expected \`${name}\` once, got it ${values.length} times.`);
  return values[0] ?? null;
}

/** `since`, 0 if it is not given. @throws RunEventsError `invalid_cursor`. @see W15 */
export function parseSince(query: URLSearchParams): number {
  const values = query.getAll("since");
  const since = values.length > 1 ? null : parseCursor(values[0] ?? "0");
  if (since === null) throw invalidCursor(values.length > 1 ? values : values[0]);
  return since;
}

/** `limit` in its bounds. @see W15 */
export function parseLimit(query: URLSearchParams, fallback: number, most: number): number {
  const text = single(query, "limit");
  if (text === null) return fallback;
  const limit = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit <= most))
    throw invalidRequest(
      `Expected \`limit\` to be an integer from 1 to ${most}, got ${describeValue(text)}.`,
    );
  return limit;
}

/** `wait` in milliseconds. @see W17 */
export function parseWaitMs(query: URLSearchParams): number {
  const text = single(query, "wait");
  if (text === null) return 0;
  const seconds = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= 30))
    throw invalidRequest(
      `Expected \`wait\` to be a number of seconds from 0 to 30, got ${describeValue(text)}.`,
    );
  return seconds * 1_000;
}

const STATUSES: ReadonlySet<string> = new Set<RunStatus>([
  "queued",
  "running",
  "completed",
  "failed",
  "cancelled",
]);

/** `status`; `null` for all. @see W14 */
export function parseStatus(query: URLSearchParams): RunStatus | null {
  const text = single(query, "status");
  if (text !== null && !STATUSES.has(text))
    throw invalidRequest(
      `Expected \`status\` to be one of ${[...STATUSES].join(", ")}, got ${describeValue(text)}.`,
    );
  return text as RunStatus | null;
}

/** `cursor`, the `nextCursor` of the page before; `null` from the newest. @see W14 */
export function parseListCursor(query: URLSearchParams): number | null {
  const text = single(query, "cursor");
  const before = text === null ? null : parseCursor(text);
  if (text !== null && before === null)
    throw invalidRequest(
      `Expected \`cursor\` to be the \`nextCursor\` of a list, got ${describeValue(text)}.`,
    );
  return before;
}

/** An object's members by key, each value as its text; `null` stands for no body. */
function membersOf(body: JsonBody, known: readonly string[]): Map<string, string> {
  if (body === null) return new Map();
  if (!isObject(body.value)) throw invalidRequest("Expected the body to be a JSON object.");
  const members = new Map<string, string>();
  for (const { key, text } of eachJsonMember(body.text)) {
    if (!known.includes(key))
      throw invalidRequest(
        `Expected no fields in the body but ${known.join(" and ")}, got ${describeValue(key)}.`,
      );
    if (members.has(key))
      throw invalidRequest(`Expected each field of the body once, got ${key} twice.`);
    members.set(key, text);
  }
  return members;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The body that creates a run. @see W8 */
export function parseCreateBody(body: JsonBody): {
  readonly runId?: string;
  readonly metadata: JsonText;
} {
  const members = membersOf(body, ["runId", "metadata"]);
  const metadata = JsonText.trusted(members.get("metadata") ?? "null");
  const text = members.get("runId");
  if (text === undefined) return { metadata };
  const runId: unknown = JSON.parse(text);
  if (typeof runId !== "string")
    throw invalidRequest(`Expected \`runId\` to be a string, got ${describeValue(runId)}.`);
  return { runId, metadata };
}

/**
 * The body that appends events.
 * @param maxEvents at most one event more than this is parsed: the log then refuses all of them
 * @throws RunEventsError `invalid_request`, `invalid_event`.
 * @see W9
 */
export function parseAppendBody(
  body: JsonBody,
  maxEvents: number,
): {
  readonly events: readonly EventDraft[];
  readonly expectedSequence?: number;
} {
  const members = membersOf(body, ["events", "expectedSequence"]);
  const list = members.get("events");
  if (list === undefined || !list.startsWith("["))
    throw invalidRequest("Expected `events` to be an array of events.");
  const events: EventDraft[] = [];
  for (const item of eachJsonItem(list)) {
    events.push(parseEvent(item, events.length));
    if (events.length > maxEvents) break;
  }
  const text = members.get("expectedSequence");
  if (text === undefined) return { events };
  const expectedSequence: unknown = JSON.parse(text);
  if (typeof expectedSequence !== "number")
    throw invalidRequest(
      `Expected \`expectedSequence\` to be a number, got ${describeValue(expectedSequence)}.`,
    );
  return { events, expectedSequence };
}

/**
 * One event of a body, its payload as the text that stands there.
 * @param text known to be JSON
 * @throws RunEventsError `invalid_event`
 */
export function parseEvent(text: string, index: number): EventDraft {
  const refuse = (message: string): RunEventsError =>
    new RunEventsError("invalid_event", message, { details: { index } });
  if (!text.startsWith("{"))
    throw refuse(`Expected event ${index} to be an object, such as { "eventType": "NOTE" }.`);
  let eventType: unknown;
  let payload: JsonText | undefined;
  for (const member of eachJsonMember(text)) {
    if (member.key === "eventType" && eventType === undefined) eventType = JSON.parse(member.text);
    else if (member.key === "payload" && payload === undefined)
      payload = JsonText.trusted(member.text);
    else
      throw refuse(
        `Expected no fields in event ${index} but \`eventType\` and \`payload\`, each once, got ${describeValue(member.key)}.`,
      );
  }
  if (typeof eventType !== "string")
    throw refuse(
      `Expected \`eventType\` of event ${index} to be a string, got ${describeValue(eventType)}.`,
    );
  return { eventType, payload };
}

/** The body of a request on a lease: these fields, each a number. @see W31 */
export function parseNumbers<Name extends string>(
  body: JsonBody,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const members = membersOf(body, names);
  const numbers = names.map((name) => {
    const value: unknown = JSON.parse(members.get(name) ?? "null");
    if (typeof value !== "number")
      throw invalidRequest(`Expected \`${name}\` to be a number, got ${describeValue(value)}.`);
    return [name, value] as const;
  });
  return Object.fromEntries(numbers) as Record<Name, number>;
}

/** The `Run-Fence` header; `undefined` if there is none. @see W32 */
export function parseFence(text: string | null): number | undefined {
  if (text === null) return undefined;
  const fence = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(fence))
    throw invalidRequest(
      `Expected \`Run-Fence\` to be a positive integer, got ${describeValue(text)}. Send the fence that the claim returned.`,
    );
  return fence;
}
