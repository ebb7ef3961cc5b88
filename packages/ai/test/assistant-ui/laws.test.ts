import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { ResumableStreamStore } from "assistant-stream/resumable";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createRunEventsResumableStreamStore } from "../../src/assistant-ui.ts";
import { decodeBytes, encodeBytes } from "../../src/produce/bytes.ts";
import { acquireLease } from "./read-store.ts";

const chunk = fc.uint8Array({ maxLength: 200 });
const maxPayloadBytes = fc.constantFrom(64, 101, 262_144);

it("any bytes are parts that fit into a payload, and the same bytes again", () => {
  const bytes = fc.oneof(
    chunk,
    fc
      .tuple(fc.integer({ min: 190_000, max: 600_000 }), fc.nat(255))
      .map(([length, by]) => new Uint8Array(length).map((_, index) => index * by)),
  );
  fc.assert(
    fc.property(bytes, maxPayloadBytes, (given, most) => {
      const parts = encodeBytes(given, most);
      expect(parts.length).toBeGreaterThan(0);
      for (const part of parts) expect(JSON.stringify(part).length <= most).toBe(true);
      expect(Buffer.compare(Buffer.concat(parts.map(decodeBytes)), given)).toBe(0);
    }),
    { numRuns: 50 },
  );
});

async function readFrom(
  store: ResumableStreamStore,
  cursor: string,
  most = Infinity,
): Promise<{ readonly bytes: Uint8Array; readonly cursor: string; readonly error: unknown }> {
  const chunks: Uint8Array[] = [];
  let last = cursor;
  try {
    if (most > 0) {
      for await (const entry of store.read("a", cursor, new AbortController().signal)) {
        chunks.push(entry.chunk);
        last = entry.cursor;
        if (chunks.length >= most) break;
      }
    }
  } catch (error) {
    return { bytes: Buffer.concat(chunks), cursor: last, error };
  }
  return { bytes: Buffer.concat(chunks), cursor: last, error: null };
}

it("any chunks replay to the same bytes, from any cursor, with the end that they had", async () => {
  const end = fc.constantFrom("done" as const, "error" as const);
  const cuts = fc.array(fc.nat(3), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(chunk),
      maxPayloadBytes,
      end,
      cuts,
      async (chunks, most, how, parts) => {
        const runs = createRunEvents({
          store: createMemoryStore(),
          maxPayloadBytes: Math.max(most, 128),
        });
        const store = createRunEventsResumableStreamStore({ runs });
        const lease = await acquireLease(store, "a");
        const early = readFrom(store, "");
        for (const one of chunks) await store.append("a", one, lease);
        await store.finalize("a", how, "boom", lease);
        const whole = Buffer.concat(chunks);
        for (const read of [await early, await readFrom(store, "")]) {
          expect(Buffer.compare(read.bytes, whole)).toBe(0);
          expect(read.error === null).toBe(how === "done");
        }
        const got: Uint8Array[] = [];
        let cursor = "";
        for (const count of [...parts, Infinity]) {
          const read = await readFrom(store, cursor, count);
          got.push(read.bytes);
          ({ cursor } = read);
        }
        expect(Buffer.compare(Buffer.concat(got), whole)).toBe(0);
        await runs.close();
      },
    ),
  );
});
