import fc from "fast-check";
import { expect, it } from "vitest";
import { createCuttingFetch, type Cut } from "../../src/http/cutting-fetch.ts";

const URL_OF_ANYTHING = "http://memory.example/";

/** A body that comes in these pieces. */
function bodyOf(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
}

/** The part of a body that arrives, a character for each byte, and how it ended. */
async function arrives(response: Response): Promise<readonly [string, "error" | "end"]> {
  const reader = response.body?.getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
      if (done || value === undefined) return [text, "end"];
      for (const byte of value) text += String.fromCharCode(byte);
    }
  } catch {
    return [text, "error"];
  }
}

const piece = fc.oneof(
  fc.constantFrom("\n", "retry: 3000\n", "data: \u{1f642}\n\n", "retry: 3600000\n", "id: 7", ""),
  fc.string({ maxLength: 5 }),
);

it("cuttingFetch lets so many bytes through, then breaks off as planned, and shortens each retry", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 6 }),
      fc.nat(60),
      fc.constantFrom<Cut["by"]>("error", "end"),
      async (pieces, afterBytes, by) => {
        const whole = pieces
          .join("")
          .replace(
            /^retry: (\d+)$/gm,
            (_, digits: string) => `retry: ${"20".padStart(digits.length, "0")}`,
          );
        const bytes = String.fromCharCode(...new TextEncoder().encode(whole));
        const fetch = createCuttingFetch(
          async () => new Response(bodyOf(pieces)),
          [{ afterBytes, by }],
        );
        const isCut = afterBytes <= bytes.length;
        const expected = [bytes.slice(0, afterBytes), isCut ? by : "end"];
        expect(await arrives(await fetch(URL_OF_ANYTHING))).toEqual(expected);
        // The next answer is whole.
        expect(await arrives(await fetch(URL_OF_ANYTHING))).toEqual([bytes, "end"]);
      },
    ),
  );
});
