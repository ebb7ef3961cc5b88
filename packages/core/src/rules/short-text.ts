import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";

/** Control characters, and lone surrogates, which no store can keep as text. */
const REFUSED = /[\p{Cc}\p{Cs}]/u;

/**
 * The most characters of a run's topic, and of a worker's name. A character is a code point.
 * @see clauses W34 and W44 in `WIRE.md` of `@tm/run-events-http`
 */
const MOST = { topic: 200, worker: 100 } as const;

/** Whether the value is a valid topic. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
export function isTopic(value: unknown): value is string {
  return isShortText("topic", value);
}

/** Whether the value is a valid name of a worker. @see clause W44 in `WIRE.md` of `@tm/run-events-http` */
export function isWorkerName(value: unknown): value is string {
  return isShortText("worker", value);
}

/**
 * Passes on the topic that a program gave; `null` for none.
 * @throws RunEventsError `invalid_request` unless it is `null`, missing, or a topic
 */
export function checkTopic(value: unknown): string | null {
  return checkShortText("topic", value);
}

/**
 * Passes on the name of a worker; `null` for none.
 * @throws RunEventsError `invalid_request` unless it is `null`, missing, or a name
 */
export function checkWorkerName(value: unknown): string | null {
  return checkShortText("worker", value);
}

function isShortText(name: keyof typeof MOST, value: unknown): value is string {
  const most = MOST[name];
  if (typeof value !== "string" || value === "" || REFUSED.test(value)) return false;
  // A code point has two UTF-16 units at most, so a far longer text need not be counted.
  return value.length <= most || (value.length <= 2 * most && Array.from(value).length <= most);
}

/** A refusal never shows the text: it may be private, and long. */
function checkShortText(name: keyof typeof MOST, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (isShortText(name, value)) return value;
  throw new RunEventsError(
    "invalid_request",
    `Expected \`${name}\` to be a text of 1 to ${MOST[name]} characters without control characters and lone surrogates, got ${describeText(value)}. Change it, or leave it out.`,
  );
}

function describeText(value: unknown): string {
  if (typeof value !== "string") return describeValue(value);
  if (value === "") return "an empty text";
  const refused = REFUSED.exec(value)?.[0].codePointAt(0);
  if (refused === undefined) return "a longer text";
  return `a text with U+${refused.toString(16).toUpperCase().padStart(4, "0")}`;
}
