import { type OpenStream, stallsOf } from "@tm/run-events-core/wire";
import { type Reply, STREAM_HEADERS, type StreamReply } from "../exchange/exchange.ts";
import { plain } from "../contract/operation.ts";
import type { Call, Route } from "./route.ts";

/** The parts that the routes of live streams have in common. */
export const STREAM: Pick<Route, "method" | "access" | "tag" | "answers"> = {
  method: "GET",
  access: "session",
  tag: "live stream",
  answers: { 200: plain("Messages without a name, of `data`.", "text/event-stream") },
};

/**
 * Opens a stream and waits until it may start. It is closed if its client leaves meanwhile, or if the store stalls. `HEAD` opens none.
 * @throws RunEventsError `store_unavailable` while the store is stalled
 * @see clauses W19 and W24 in `WIRE.md`
 */
export async function answerStream(
  { context, exchange }: Call,
  open: () => OpenStream,
): Promise<Reply | StreamReply> {
  const head = { status: 200, headers: STREAM_HEADERS } as const;
  if (exchange.method === "HEAD") return { ...head, body: null };
  const { reads } = stallsOf(context.log);
  return reads.admit(async () => {
    const stream = open();
    const stay = exchange.onGone(() => stream.closed());
    try {
      await reads.unlessStalled(() => stream.ready);
      return { ...head, stream };
    } catch (error) {
      stream.closed();
      throw error;
    } finally {
      stay();
    }
  });
}
