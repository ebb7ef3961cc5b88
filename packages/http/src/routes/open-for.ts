import type { OpenStream } from "@tm/run-events-core/wire";
import type { Exchange, StreamReply } from "../exchange/exchange.ts";
import { STREAM_HEADERS } from "../exchange/stream-headers.ts";

/** Waits until a stream may start, and closes it if its client leaves meanwhile. */
export async function openFor(exchange: Exchange, stream: OpenStream): Promise<StreamReply> {
  const stay = exchange.onGone(() => stream.closed());
  try {
    await stream.ready;
    return { status: 200, headers: STREAM_HEADERS, stream };
  } finally {
    stay();
  }
}
