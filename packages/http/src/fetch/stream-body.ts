import type { StreamSink } from "@tm/run-events-core/wire";
import type { StreamReply } from "../exchange/exchange.ts";

/**
 * The stream as a body that is pulled: one write stands ready at most, and the next is made when that has been taken. The
 * transport below is not seen, so a client that goes without a word is noticed only by its stall.
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
        // It may have been aborted by now, and says so only once.
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
            // A copy: whoever reads a body may change or transfer what it is given, and other streams send the same bytes.
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
