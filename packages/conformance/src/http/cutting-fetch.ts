import type { Fetch } from "./call.ts";

/** Where a connection breaks. */
export interface Cut {
  /** The number of bytes of the answer's body that pass. A shorter body is not cut. */
  readonly afterBytes: number;
  /** `error` as a lost connection, `end` as a proxy that closes as if that were all. */
  readonly by: "error" | "end";
}

const RETRY_MS = "20";

/**
 * A `fetch` whose answers break off. `retry:` of any number becomes 20 ms in as many digits, so that readers come back soon
 * and no byte changes its place. That of run_finished too: EventSource takes it in with its line, so a reader whose connection
 * breaks before the rest of that frame would be an hour late, and right.
 * @param cuts the first is of the first answer, and so on; those after the last are whole
 */
export function createCuttingFetch(
  fetch: Fetch,
  cuts: readonly Cut[] = [],
): typeof globalThis.fetch {
  const left = cuts.values();
  return async (input, init) => {
    const response = await fetch(new Request(input, init));
    const cut = left.next().value ?? null;
    if (response.body === null) return response;
    const { status, statusText, headers } = response;
    return new Response(cutBody(response.body, cut), { status, statusText, headers });
  };
}

/** Passes a body on. The connection breaks when something comes after the last byte that passes, or the answer ends. */
function cutBody(body: ReadableStream<Uint8Array>, cut: Cut | null): ReadableStream<Uint8Array> {
  let left = cut?.afterBytes ?? Number.POSITIVE_INFINITY;

  function stop(controller: TransformStreamDefaultController<Uint8Array>): void {
    if (cut?.by === "end") controller.terminate();
    else controller.error(new TypeError("The connection was cut."));
  }

  const cutting: Transformer<Uint8Array, Uint8Array> = {
    transform(bytes, controller) {
      if (left === 0) return stop(controller);
      const part = bytes.subarray(0, left);
      left -= part.length;
      controller.enqueue(part);
    },
    flush: (controller) => (left === 0 ? stop(controller) : undefined),
  };
  // Nothing waits in a queue, which an error would empty.
  const unqueued = { highWaterMark: 0 };
  return body
    .pipeThrough(new TransformStream(createRetryShortener()))
    .pipeThrough(new TransformStream(cutting, undefined, unqueued));
}

/**
 * Passes bytes on line by line, with a short pause in each `retry:`, the field of an event stream that says how long a reader waits before it
 * reconnects: a case cuts many streams, and would spend its time in these pauses. No call is made again here.
 */
function createRetryShortener(): Transformer<Uint8Array, Uint8Array> {
  // A character a byte, so that nothing is lost on the way there and back.
  let text = "";
  const encode = (part: string): Uint8Array =>
    Uint8Array.from(part, (character) => character.charCodeAt(0));
  return {
    transform(bytes, controller) {
      for (const byte of bytes) text += String.fromCharCode(byte);
      const end = text.lastIndexOf("\n") + 1;
      const lines = text.slice(0, end).replace(/^retry: (\d+)$/gm, shorten);
      text = text.slice(end);
      if (lines !== "") controller.enqueue(encode(lines));
    },
    flush: (controller) => (text === "" ? undefined : controller.enqueue(encode(text))),
  };
}

function shorten(_line: string, digits: string): string {
  return `retry: ${RETRY_MS.padStart(digits.length, "0")}`;
}
