import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Frame, readFrames } from "../../src/http/read-frames.ts";

const encoder = new TextEncoder();

/** The bytes in pieces, cut at these places. */
async function* cut(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...cuts.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b)];
  for (const [index, from] of places.entries()) {
    yield bytes.slice(from, places[index + 1] ?? bytes.length);
  }
}

async function read(bytes: Uint8Array, cuts: readonly number[] = []): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for await (const one of readFrames(cut(bytes, cuts))) frames.push(one);
  return frames;
}

/** The messages that EventSource makes of the text. */
function messagesOf(text: string): readonly unknown[] {
  const messages: unknown[] = [];
  const parser = createParser({
    onEvent: ({ data, event, id }) => messages.push([data, event, id]),
  });
  parser.feed(text);
  return messages;
}

const frame = fc
  .record({
    retry: fc.option(fc.nat(9_999)),
    message: fc.dictionary(fc.string(), fc.jsonValue()),
    id: fc.option(fc.nat(99)),
    space: fc.constantFrom("", " "),
    late: fc.boolean(),
  })
  .map(({ retry, message, id, space, late }) => {
    const data = JSON.stringify(message).replace(
      /[\u0085\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    const before = retry === null ? "" : `retry:${space}${retry}\n`;
    const after = late && retry === null ? `retry:${space}3600000\n` : "";
    const last = id === null ? "" : `id:${space}${id}\n`;
    const text = `${before}data:${space}${data}\n${after}${last}\n`;
    return { text, retry: after === "" ? retry : 3_600_000, data, message, id };
  });

describe("readFrames", () => {
  it("W22: reads all frames, however the bytes were cut", async () => {
    const some = fc.array(frame, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(some, fc.array(fc.nat(), { maxLength: 12 }), async (frames, cuts) => {
        const text = frames.map((one) => one.text).join("");
        const found = await read(encoder.encode(text), cuts);
        expect(found.map(({ retryMs, data, id }) => [retryMs, data, id])).toEqual(
          frames.map(({ retry, data, id }) => [retry, data, id === null ? null : String(id)]),
        );
      }),
    );
  });

  it("W22: what it takes means the same to EventSource, and it takes all that W22 names", async () => {
    const noise = fc.tuple(
      fc.constantFrom("", ":", ": x", "data", "id", "event: x", "data: {}", "id: 1", "retry: 1"),
      fc.constantFrom("\n", "\n\n", "\r\n", "\r"),
      fc.nat(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, { minLength: 1, maxLength: 4 }),
        fc.array(noise, { maxLength: 2 }),
        async (frames, noises) => {
          let text = frames.map((one) => one.text).join("");
          for (const [line, end, place] of noises) {
            // Where a line begins.
            const lines = text.split(/(?<=\n)/);
            text = lines.toSpliced(place % (lines.length + 1), 0, line + end).join("");
          }
          const found = await read(encoder.encode(text)).catch(() => null);
          if (noises.length === 0) expect(found).not.toBeNull();
          if (found === null) return;
          expect(found.map(({ data, id }) => [data, undefined, id ?? undefined])).toEqual(
            messagesOf(text),
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.for([
    ["a comment", ": hello\n\n"],
    ["a comment in a frame", ": hello\ndata: {}\n\n"],
    ["a name", "event: x\ndata: {}\n\n"],
    ["two lines of data", "data: {\ndata: }\n\n"],
    ["id before data", "id: 1\ndata: {}\n\n"],
    ["a short retry after data", "data: {}\nretry: 1\n\n"],
    ["two retries", "retry: 1\ndata: {}\nretry: 3600000\n\n"],
    ["retry after id", "data: {}\nid: 1\nretry: 3600000\n\n"],
    ["no data", "id: 1\n\n"],
    ["an empty frame", "\n\n"],
    ["a blank line too many", "data: {}\n\n\n"],
    ["carriage returns", "data: {}\r\n\r\n"],
    ["a byte order mark", "\ufeffdata: {}\n\n"],
    ["an id that is no number", "data: {}\nid: x\n\n"],
    ["U+2028", 'data: {"a":"\u2028"}\n\n'],
    ["U+0085", 'data: {"a":"\u0085"}\n\n'],
    ["a list", "data: []\n\n"],
    ["no JSON", "data: {\n\n"],
    ["an unfinished frame", "data: {}\n"],
  ] as const)("W22: refuses %s", async ([, text]) => {
    await expect(read(encoder.encode(text))).rejects.toThrow("W22: Expected");
  });

  it("W22: refuses bytes that are not UTF-8", async () => {
    const bytes = Uint8Array.from([...encoder.encode('data: {"a":"'), 0xff]);
    await expect(read(bytes)).rejects.toThrow(TypeError);
  });
});
