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

function cutBody(body: ReadableStream<Uint8Array>, cut: Cut | null): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const lines = createLineChanger();
  let left = cut?.afterBytes ?? Number.POSITIVE_INFINITY;

  function stop(controller: ReadableStreamDefaultController<Uint8Array>): void {
    reader.cancel().catch(() => {});
    if (cut?.by === "end") controller.close();
    else controller.error(new TypeError("The connection was cut."));
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A pull that brings nothing is not repeated, so it goes on until there is a whole line.
        for (;;) {
          if (left === 0) {
            stop(controller);
            return;
          }
          const { value, done } = await reader.read();
          const part = (done ? lines.rest() : lines.push(value)).subarray(0, left);
          left -= part.length;
          if (part.length > 0) controller.enqueue(part);
          if (done) {
            if (left === 0) stop(controller);
            else controller.close();
          }
          if (done || part.length > 0) return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Passes bytes on line by line, each `retry:` shortened. */
function createLineChanger(): {
  push(bytes: Uint8Array): Uint8Array;
  rest(): Uint8Array;
} {
  // A character a byte, so that nothing is lost on the way there and back.
  let text = "";
  return {
    push(bytes) {
      for (const byte of bytes) text += String.fromCharCode(byte);
      const end = text.lastIndexOf("\n") + 1;
      const whole = text.slice(0, end);
      text = text.slice(end);
      return encodeBytes(whole.replace(/^retry: (\d+)$/gm, shorten));
    },
    rest: () => encodeBytes(text),
  };
}

function shorten(_line: string, digits: string): string {
  return `retry: ${RETRY_MS.padStart(digits.length, "0")}`;
}

function encodeBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
