import { describe, expect, it } from "vitest";
import type { Plain } from "../src/rules/append-rule.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { createRunWrites, RUN } from "./run-writes.ts";

const ALL = { ...RUN, since: 0, limit: 100, maxBytes: 1_000_000, wantsMetadata: true };

/** The conformance kit checks this store, too, for what every store promises. */
describe("createMemoryStore", () => {
  it("S11: a call's arguments belong to the store", async () => {
    const store = createMemoryStore();
    const writes = createRunWrites(store);
    await writes.create(RUN);
    const event = newEvent("TOKEN", "1");
    const request = appendRequest([event], { idempotencyKey: "first" });
    await writes.append(request);
    const none = { fence: null, leaseMs: null, expectedSequence: null };
    const plain: Plain = { ...RUN, ...none, events: [event], idempotencyKey: "second" };
    await store.append([plain]);
    const before = structuredClone(await store.read([ALL]));
    for (const given of [event, request, plain]) {
      for (const key of Object.keys(given)) Reflect.set(given, key, "scribbled");
    }
    expect(await store.read([ALL])).toStrictEqual(before);
    const again = appendRequest([newEvent("TOKEN", "1")], { idempotencyKey: "second" });
    expect(await writes.append(again)).toMatchObject({ outcome: "replayed", firstSequence: 2 });
  });
});
