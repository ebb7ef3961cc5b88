import { type EventDraft, JsonText, RunEventsError } from "@tm/run-events-core";
import {
  checkTopic,
  checkWorkerName,
  describeValue,
  eachJsonItem,
  eachJsonMember,
  RESERVED_TYPES,
} from "@tm/run-events-core/wire";
import { invalidRequest } from "./query.ts";

/** The members of a body's object by key, each value as its text. Empty for a request without a body. */
function membersOf(body: string | null, known: readonly string[]): Map<string, string> {
  if (body === null) return new Map();
  if (kindOfJson(body) !== KINDS["{"])
    throw invalidRequest(`Expected the body to be a JSON object, got ${kindOfJson(body)}.`);
  const members = new Map<string, string>();
  for (const { key, text } of eachJsonMember(body)) {
    if (!known.includes(key))
      throw invalidRequest(
        `Expected no fields in the body but ${listOf(known)}, got ${describeValue(key)}.`,
      );
    if (members.has(key))
      throw invalidRequest(`Expected each field of the body once, got ${key} twice.`);
    members.set(key, text);
  }
  return members;
}

function listOf(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** Names what a JSON text holds, without its content: that may be a payload. */
function kindOfJson(text: string): string {
  return KINDS[text.trimStart().charAt(0)] ?? "a number";
}

const KINDS: Readonly<Record<string, string>> = {
  "{": "an object",
  "[": "an array",
  '"': "a string",
  t: "a boolean",
  f: "a boolean",
  n: "null",
};

const CREATE_FIELDS = ["runId", "topic", "exclusive", "metadata", "leaseMs", "worker"];

/**
 * Parses the body that creates a run.
 * @see clauses W8 and W34 to W36 in `WIRE.md`
 */
export function parseCreateBody(body: string | null): {
  readonly runId?: string;
  readonly topic: string | null;
  readonly metadata: JsonText;
  readonly leaseMs?: number;
  readonly worker: string | null;
  readonly exclusive: boolean;
} {
  const members = membersOf(body, CREATE_FIELDS);
  const metadata = JsonText.trusted(members.get("metadata") ?? "null");
  const topic = checkTopic(JSON.parse(members.get("topic") ?? "null"));
  const worker = workerIn(members);
  // The log refuses what is not a boolean.
  const exclusive = JSON.parse(members.get("exclusive") ?? "false") as boolean;
  const lease = members.has("leaseMs") ? { leaseMs: numberOf(members, "leaseMs") } : {};
  const text = members.get("runId");
  if (text === undefined) return { topic, metadata, worker, exclusive, ...lease };
  const runId: unknown = JSON.parse(text);
  if (typeof runId !== "string")
    throw invalidRequest(`Expected \`runId\` to be a string, got ${describeValue(runId)}.`);
  return { runId, topic, metadata, worker, exclusive, ...lease };
}

/**
 * Parses the body that appends events.
 * @param maxEvents at most one event more than this is parsed; the log then refuses all of them
 * @throws RunEventsError `invalid_request`, `invalid_event`.
 * @see clause W9 in `WIRE.md`
 */
export function parseAppendBody(
  body: string | null,
  maxEvents: number,
): {
  readonly events: readonly EventDraft[];
  readonly expectedSequence?: number;
} {
  const members = membersOf(body, ["events", "expectedSequence"]);
  const list = members.get("events");
  if (list === undefined || !list.startsWith("["))
    throw invalidRequest(
      `Expected \`events\` to be an array of events, got ${list === undefined ? "none" : kindOfJson(list)}.`,
    );
  const events: EventDraft[] = [];
  for (const item of eachJsonItem(list)) {
    events.push(parseEvent(item, events.length));
    if (events.length > maxEvents) break;
  }
  return { events, ...expectedOf(members) };
}

/**
 * Parses the body of an input. Its payload stays the text of the body.
 * @throws RunEventsError `invalid_request`
 * @see clause W39 in `WIRE.md`
 */
export function parseInputBody(body: string | null): {
  readonly payload: JsonText | undefined;
  readonly expectedSequence?: number;
} {
  const members = membersOf(body, ["payload", "expectedSequence"]);
  const text = members.get("payload");
  const payload = text === undefined ? undefined : JsonText.trusted(text);
  return { payload, ...expectedOf(members) };
}

/** @throws RunEventsError `invalid_request` unless it is a number, or is not there */
function expectedOf(members: ReadonlyMap<string, string>): { readonly expectedSequence?: number } {
  const text = members.get("expectedSequence");
  if (text === undefined) return {};
  const expectedSequence: unknown = JSON.parse(text);
  if (typeof expectedSequence !== "number")
    throw invalidRequest(
      `Expected \`expectedSequence\` to be a number, got ${describeValue(expectedSequence)}.`,
    );
  return { expectedSequence };
}

/**
 * Parses one event of a body. Its payload stays the text of the body.
 * @param text known to be JSON
 * @throws RunEventsError `invalid_event`
 */
export function parseEvent(text: string, index: number): EventDraft {
  const refuse = (message: string): RunEventsError =>
    new RunEventsError("invalid_event", message, { details: { index } });
  if (!text.startsWith("{"))
    throw refuse(
      `Expected event ${index} to be an object, such as { "eventType": "NOTE" }, got ${kindOfJson(text)}.`,
    );
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
  if (RESERVED.has(eventType))
    throw refuse(
      `Expected no ${eventType} among the events to append, but event ${index} has that type. Only a server's chats write it: choose another type.`,
    );
  return { eventType, payload };
}

const RESERVED: ReadonlySet<string> = new Set(RESERVED_TYPES);

/** Parses the body of a claim. @see clauses W31 and W44 in `WIRE.md` */
export function parseClaimBody(body: string | null): {
  readonly leaseMs: number;
  readonly worker: string | null;
} {
  const members = membersOf(body, ["leaseMs", "worker"]);
  return { leaseMs: numberOf(members, "leaseMs"), worker: workerIn(members) };
}

function workerIn(members: ReadonlyMap<string, string>): string | null {
  return checkWorkerName(JSON.parse(members.get("worker") ?? "null"));
}

/** Parses the body of a request on a lease: these fields, each a number. @see clause W31 in `WIRE.md` */
export function parseNumbers<Name extends string>(
  body: string | null,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const members = membersOf(body, names);
  const numbers = names.map((name) => [name, numberOf(members, name)] as const);
  return Object.fromEntries(numbers) as Record<Name, number>;
}

function numberOf(members: ReadonlyMap<string, string>, name: string): number {
  const value: unknown = JSON.parse(members.get(name) ?? "null");
  if (typeof value !== "number")
    throw invalidRequest(`Expected \`${name}\` to be a number, got ${describeValue(value)}.`);
  return value;
}
