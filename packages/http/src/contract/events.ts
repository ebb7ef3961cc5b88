import { type EventDraft, JsonText, RunEventsError } from "@tm/run-events-core";
import {
  describeValue,
  eachJsonItem,
  eachJsonMember,
  INPUT_RECEIVED,
  RESERVED_TYPES,
} from "@tm/run-events-core/wire";
import { kindOfJson } from "./body.ts";
import { objectOf, type Schema } from "./schema.ts";

/** One event of a body, as {@link parseEvent} takes it. */
export const EVENT_DRAFT: Schema = {
  ...objectOf({
    eventType: {
      type: "string",
      pattern: "^[A-Z][A-Z0-9_]{0,63}$",
      not: { enum: [INPUT_RECEIVED, ...RESERVED_TYPES] },
    },
    "payload?": {
      description:
        "Any JSON value of at most 256 KiB; absent is null. It comes back token for token.",
    },
  }),
  additionalProperties: false,
};

/**
 * Parses the events of a body.
 * @param list known to be a JSON array
 * @param maxEvents at most one event more than this is parsed; the log then refuses all of them
 * @throws RunEventsError `invalid_event`
 * @see clause W9 in `WIRE.md`
 */
export function parseEvents(list: string, maxEvents: number): readonly EventDraft[] {
  const events: EventDraft[] = [];
  for (const item of eachJsonItem(list)) {
    events.push(parseEvent(item, events.length));
    if (events.length > maxEvents) break;
  }
  return events;
}

/**
 * Parses one event of a body. Its payload stays the text of the body.
 * @param text known to be JSON
 * @throws RunEventsError `invalid_event`
 */
export function parseEvent(text: string, index: number): EventDraft {
  const refuse = (message: string): RunEventsError =>
    new RunEventsError("invalid_event", message, { details: { index } });
  if (kindOfJson(text) !== "an object")
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
