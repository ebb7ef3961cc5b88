import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";

/** A character is a code point. */
const TOPIC = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

/** Control characters, and lone surrogates, which no store can keep as text. */
const REFUSED = /[\p{Cc}\p{Cs}]/u;

/** Whether a run may have this topic. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
export function isTopic(topic: unknown): topic is string {
  return typeof topic === "string" && TOPIC.test(topic);
}

/**
 * Passes on the topic that a program gave; `null` for none. A refusal never shows the topic: it may be private, and long.
 * @throws RunEventsError `invalid_request` unless it is `null` or a text of 1 to 200 characters without control characters
 * @see clause W34 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkTopic(topic: unknown): string | null {
  if (topic === undefined || topic === null) return null;
  if (isTopic(topic)) return topic;
  throw new RunEventsError(
    "invalid_request",
    `Expected \`topic\` to be a text of 1 to 200 characters without control characters and lone surrogates, got ${describeTopic(topic)}. Change it, or leave it out.`,
  );
}

function describeTopic(topic: unknown): string {
  if (typeof topic !== "string") return describeValue(topic);
  if (topic === "") return "an empty text";
  const refused = REFUSED.exec(topic)?.[0].codePointAt(0);
  if (refused === undefined) return "a longer text";
  return `a text with U+${refused.toString(16).toUpperCase().padStart(4, "0")}`;
}
