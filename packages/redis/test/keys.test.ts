import { STATUSES } from "@tm/run-events-core/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUCKETS, keysOf } from "../src/keys.ts";

/** The pieces of keys, what stands for them in an encoded topic, and texts that look like a part of a key. */
const PIECES = ["{", "}", ":", "%", "=", "owner:", "topic:", ":queued:", "{7}", "%7D", "%3A"];
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join("").toWellFormed());
const runId = fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/);
const run = fc.record({ ownerId: text, runId, topic: text, status: fc.constantFrom(...STATUSES) });
const prefix = fc.constantFrom("run-events", "a:b", "%");

/** The part of a key that decides on its slot, as Redis takes it. */
function hashTagOf(key: string): string {
  const start = key.indexOf("{");
  const end = key.indexOf("}", start + 1);
  return end > start + 1 ? key.slice(start + 1, end) : key;
}

/** All keys that a commit on a run may touch, by what they are of. */
function keysFor(
  start: string,
  { ownerId, runId: id, topic, status }: typeof run extends fc.Arbitrary<infer Run> ? Run : never,
) {
  const keys = keysOf(start, "");
  const bucket = keys.bucketOf(ownerId);
  const [ofOwner = "", ofTopic = ""] = [null, topic].flatMap((of) =>
    keys.lists(ownerId, of, status),
  );
  return new Map([
    ...Object.entries(keys.ofRun({ ownerId, runId: id })).map(([kind, key]): [string, string] => [
      `${kind} ${id} ${ownerId}`,
      key,
    ]),
    [`list ${status} ${ownerId}`, ofOwner],
    [`list ${status} ${JSON.stringify([topic])} ${ownerId}`, ofTopic],
    [`changes ${ownerId}`, keys.ofOwner(ownerId)],
    [`due ${bucket}`, keys.due(bucket, "leased")],
    [`ordinal ${bucket}`, keys.ordinal(bucket)],
    [`probe ${bucket}`, keys.probe(bucket)],
  ]);
}

describe("keysOf", () => {
  it("S8, S16: a key is of one run, or of one owner, topic and status, with any text", () => {
    fc.assert(
      fc.property(prefix, run, run, (start, one, other) => {
        const all = [...keysFor(start, one), ...keysFor(start, other)];
        const names = new Set(all.map(([name]) => name));
        const keys = new Set(all.map(([, key]) => key));
        expect(keys.size).toBe(names.size);
      }),
      { numRuns: 2_000 },
    );
  });

  it("S2: all that a commit touches is in one slot of a cluster, no matter what the owner's id is", () => {
    fc.assert(
      fc.property(prefix, run, (start, one) => {
        const tags = new Set([...keysFor(start, one).values()].map(hashTagOf));
        expect([...tags]).toEqual([String(keysOf(start, "").bucketOf(one.ownerId))]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("S19: an owner's bucket is part of the format, so it never changes", () => {
    const { bucketOf } = keysOf("run-events", "");
    expect(BUCKETS).toBe(64);
    expect(["ada", "bob", "", "é", "tenant-1", "tenant-2"].map(bucketOf)).toEqual([
      40, 0, 0, 62, 63, 5,
    ]);
  });
});
