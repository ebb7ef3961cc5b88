import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";

/** Neither control characters, nor lone surrogates, which no store can keep as text. */
const TOPIC = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

/**
 * Passes on the topic that a program gave; `null` for none.
 * @throws RunEventsError `invalid_request` unless it is `null` or a text of 1 to 200 characters without control characters
 * @see clause W34 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkTopic(topic: unknown): string | null {
  if (topic === undefined || topic === null) return null;
  if (typeof topic === "string" && TOPIC.test(topic)) return topic;
  const came = typeof topic === "string" ? `a text of ${[...topic].length}` : describeValue(topic);
  throw new RunEventsError(
    "invalid_request",
    `Expected \`topic\` to be a text of 1 to 200 characters, none of them a control character, got ${came}. Shorten it, or leave it out.`,
  );
}
