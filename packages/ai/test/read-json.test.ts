import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson } from "../src/routes/read-json.ts";

const JSON_TYPE = { "content-type": "application/json" };
const MEBIBYTE = new Uint8Array(1_048_576).fill(32);

/** A request with this body. */
function requestOf(body: BodyInit, headers: Readonly<Record<string, string>> = {}): Request {
  const init = { method: "POST", body, duplex: "half", headers: { ...JSON_TYPE, ...headers } };
  return new Request("http://localhost/", init);
}

/** Reads a body. `most` is the most that it held at a time. */
async function read(request: Request): Promise<{ readonly value: unknown; readonly most: number }> {
  let most = 0;
  const holding = { holdBody: (bytes: number) => void (most = Math.max(most, bytes)) };
  return { value: await readJson(request, holding, new Promise(() => {})), most };
}

describe("the JSON of a request", () => {
  it("is refused once it has more than 16 MiB, and the rest is read after the answer", async () => {
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pieces += 1;
        controller.enqueue(MEBIBYTE);
      },
    });
    const answered = Promise.withResolvers<void>();
    const request = requestOf(body);
    const reading = readJson(request, { holdBody: () => {} }, answered.promise);
    await expect(reading).rejects.toMatchObject({ code: "payload_too_large" });
    const before = pieces;
    expect(before).toBeLessThan(20);
    answered.resolve();
    await expect.poll(() => pieces).toBeGreaterThan(before);
  });

  it("is refused before it is read, if its length says that it is too large", async () => {
    const request = requestOf("{}", { "content-length": "16777217" });
    await expect(read(request)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(request.bodyUsed).toBe(false);
  });

  it("is the same no matter in which pieces it arrives, and `null` if it breaks off", async () => {
    const bytes = new TextEncoder().encode('{"text":"\u{1F600}"}');
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    expect((await read(requestOf(pieces))).value).toEqual({ text: "\u{1F600}" });
    const broken = new ReadableStream({
      start: (controller) => controller.error(new Error("lost")),
    });
    expect((await read(requestOf(broken))).value).toBeNull();
    expect((await read(requestOf("{"))).value).toBeNull();
    expect((await read(new Request("http://localhost/", { headers: JSON_TYPE }))).value).toBeNull();
  });

  it("may be any text, and holds its bytes and 128 more for each value", async () => {
    function countOf(value: unknown): number {
      if (typeof value !== "object" || value === null) return 0;
      const inner = Object.values(value).map(countOf);
      // A comma, a colon or an opening bracket comes before each value. A member has two of them: a comma and a colon.
      const between = Math.max(0, inner.length - 1) + (Array.isArray(value) ? 0 : inner.length);
      return inner.reduce((sum, count) => sum + count, 1 + between);
    }
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (given) => {
        const text = JSON.stringify(given);
        const { value, most } = await read(requestOf(text));
        expect(value).toEqual(JSON.parse(text));
        expect(most).toBe(Math.max(text.length + 128 * countOf(given), Buffer.byteLength(text)));
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom("[", "]", "{", "}", ",", ":", '"', "\\", "a") }),
        async (text) => {
          const { value } = await read(requestOf(text));
          let parsed: unknown = null;
          try {
            parsed = JSON.parse(text);
          } catch {
            // It is no JSON.
          }
          expect(value).toEqual(parsed);
        },
      ),
    );
  });

  it("is refused if its values would take more than its text: 1 MiB of empty arrays", async () => {
    const text = `[${"[],".repeat(349_525)}[]]`;
    await expect(read(requestOf(text))).rejects.toMatchObject({ code: "payload_too_large" });
    const string = JSON.stringify(text);
    expect((await read(requestOf(string))).most).toBe(string.length);
  });

  it("is refused with advice if the host has read it before", async () => {
    const parsed = new Request("http://localhost/", {
      method: "POST",
      headers: { ...JSON_TYPE, "content-length": "2" },
    });
    const used = requestOf("{}");
    await used.text();
    const locked = requestOf("{}");
    locked.body?.getReader();
    for (const request of [parsed, used, locked])
      await expect(read(request)).rejects.toThrow("Mount the routes before body parsers.");
    // A request without a body is a mistake of the page.
    expect((await read(requestOf("", { "content-length": "0" }))).value).toBeNull();
  });
});
