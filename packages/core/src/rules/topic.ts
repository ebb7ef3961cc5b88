import { checkShortText, isShortText } from "./short-text.ts";

/** The most characters of a topic. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
const MAX_TOPIC = 200;

/** Whether a run may have this topic. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
export function isTopic(topic: unknown): topic is string {
  return isShortText(topic, MAX_TOPIC);
}

/**
 * Passes on the topic that a program gave; `null` for none. A refusal never shows the topic.
 * @throws RunEventsError `invalid_request` unless it is `null` or a text of 1 to 200 characters without control characters
 * @see clause W34 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkTopic(topic: unknown): string | null {
  return checkShortText("topic", topic, MAX_TOPIC);
}
