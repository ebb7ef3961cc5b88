import type { AppendRequest, Appender } from "../core-calls.ts";
import { KEYED } from "./keyed.ts";
import { appendRequest } from "../append-request.ts";
import { namedEvent } from "../history/named-event.ts";
import type { PlannedAppend } from "./program.ts";

/**
 * A planned append as core would send it.
 * @param name the prefix of the names of its events, unless they belong to its key
 * @param seen the last head that the client saw
 * @param fence the one that it was given last
 */
export function requestOf(
  planned: PlannedAppend,
  runId: string,
  name: string,
  seen: number,
  fence: number | undefined,
): AppendRequest {
  const { events, key } = planned;
  const isOwn = key === null || KEYED[key]?.join() !== events.join();
  const batch = events.map((eventType, at) => namedEvent(eventType, `${isOwn ? name : key}.${at}`));
  return appendRequest(runId, batch, {
    idempotencyKey: key,
    expectedSequence: planned.expected === "seen" ? seen : planned.expected,
    appender: appenderOf(planned, fence),
  });
}

function appenderOf({ by }: PlannedAppend, fence: number | undefined): Appender {
  switch (by) {
    case "worker":
      return fence === undefined ? { by: "anybody" } : { by, fence };
    case "anybody":
    case "owner":
    case "input":
      return { by };
  }
}
