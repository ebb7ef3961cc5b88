import { bounds } from "@tm/run-events-core/wire";
import type { Reply, StreamReply } from "../exchange/exchange.ts";

/**
 * An answer of at most this many characters is never refused for its size, since it may report a change.
 */
export const SHORT_ANSWER = 65_536;

const encoder = new TextEncoder();

/**
 * Prepares an answer. From here on the request's body does not count, and a long answer does, encoded to bytes.
 * @throws RunEventsError `too_many_requests` if these bytes exceed the bound
 */
export function pack(reply: Reply | StreamReply, holding: bounds.Holding): Reply | StreamReply {
  holding.holdBody(0);
  if ("stream" in reply || reply.body === null) return reply;
  if (typeof reply.body !== "string") {
    holding.holdAnswer(reply.body.length);
    return reply;
  }
  if (reply.body.length <= SHORT_ANSWER) {
    holding.holdAnswer(0);
    return reply;
  }
  const body = encoder.encode(reply.body);
  holding.holdAnswer(body.length);
  return { ...reply, body };
}
