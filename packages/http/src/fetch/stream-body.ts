import type { StreamSink } from "@tm/run-events-core/wire";
import type { StreamReply } from "../exchange/exchange.ts";

/**
 * The stream as a body that is pulled. At most one write is ready, and the next is made when that one was read. A client that
 * vanishes is noticed only when it stalls, since the connection is not visible here.
 */
export function createStreamBody(
  { stream }: StreamReply,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  let sink: StreamSink | undefined;
  let abort = (): void => {};
  const closed = (): void => {
    signal.removeEventListener("abort", abort);
    stream.closed();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        abort = () => {
          closed();
          controller.close();
        };
        // A signal that was aborted before does not fire again.
        if (signal.aborted) abort();
        else signal.addEventListener("abort", abort);
      },
      pull(controller) {
        if (sink !== undefined) {
          stream.drained();
          return;
        }
        sink = {
          write(bytes) {
            // A copy: the reader of a body may change or transfer its chunks, and other streams send the same bytes.
            controller.enqueue(bytes.slice());
            return (controller.desiredSize ?? 0) > 0;
          },
          end() {
            controller.close();
            closed();
          },
          destroy() {
            controller.error(new DOMException("The stream was cut.", "AbortError"));
            closed();
          },
        };
        stream.start(sink);
      },
      cancel: closed,
    },
    { highWaterMark: 0 },
  );
}
