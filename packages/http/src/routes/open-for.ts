import { type OpenStream, type RunLog, stallsOf } from "@tm/run-events-core/wire";
import type { Exchange, StreamReply } from "../exchange/exchange.ts";
import { STREAM_HEADERS } from "../exchange/stream-headers.ts";

/**
 * Opens a stream and waits until it may start. It is closed if its client leaves meanwhile, or if the store stalls.
 * @throws RunEventsError `store_unavailable` while the store is stalled
 * @see clause W24 in `WIRE.md`
 */
export async function openFor(
  log: RunLog,
  exchange: Exchange,
  open: () => OpenStream,
): Promise<StreamReply> {
  return stallsOf(log).reads.admit(async () => {
    const stream = open();
    const stay = exchange.onGone(() => stream.closed());
    try {
      await stallsOf(log).reads.unlessStalled(() => stream.ready);
      return { status: 200, headers: STREAM_HEADERS, stream };
    } catch (error) {
      stream.closed();
      throw error;
    } finally {
      stay();
    }
  });
}
