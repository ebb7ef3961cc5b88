import { STATUSES } from "@tm/run-events-core/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keysOf } from "../src/keys.ts";

/** What a key is made of, what stands for it in an encoded topic, and texts that look like a part of a key. */
const PIECES = [
  "{",
  "}",
  ":",
  "%",
  "=",
  "owner:",
  ":topic=",
  "topic=",
  "queued",
  ":running",
  "%7D",
  "%3A",
];
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join("").toWellFormed());
const list = fc.record({
  owner: text,
  status: fc.constantFrom(...STATUSES),
  topic: fc.option(text, { nil: null }),
});
const prefix = fc.constantFrom("run-events", "a:b", "%");

/** The part of a key that decides on its slot, as Redis takes it. */
function hashTagOf(key: string): string {
  const start = key.indexOf("{");
  const end = key.indexOf("}", start + 1);
  return end > start + 1 ? key.slice(start + 1, end) : key;
}

describe("keysOf", () => {
  it("S25, W4: a list's key is of one owner, one topic and one status alone, with any text", () => {
    fc.assert(
      fc.property(prefix, list, list, (start, one, other) => {
        const keys = keysOf(start, "");
        const isSame =
          one.owner === other.owner && one.topic === other.topic && one.status === other.status;
        const key = keys.list(one.owner, one.status, one.topic);
        expect(key === keys.list(other.owner, other.status, other.topic)).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  it("S25, W4: an owner, or a topic, that is made from the key of another list has a list of its own", () => {
    const { list: key } = keysOf("run-events", "");
    fc.assert(
      fc.property(list, list, (one, { owner, topic }) => {
        const whole = key(one.owner, one.status, one.topic);
        // Everything after the first brace, cut at each place.
        const inner = whole.slice(whole.indexOf("{owner:") + "{owner:".length);
        for (let at = 0; at <= inner.length; at++) {
          const made = inner.slice(0, at).toWellFormed();
          if (made === one.owner || made === one.topic) continue;
          for (const status of STATUSES) {
            expect(key(made, status, topic)).not.toBe(whole);
            expect(key(owner, status, made)).not.toBe(whole);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("S25, S28: no list has the key of a run, of an index or of a probe, and each index is a key of its own", () => {
    fc.assert(
      fc.property(prefix, list, fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/), (start, one, runId) => {
        const keys = keysOf(start, "");
        const idle = (["queued", "running", "waiting"] as const).map(keys.idle);
        const indexes = [keys.ordinal, keys.held, keys.ended, ...idle];
        const others = [...Object.values(keys.ofRun(runId)), ...indexes];
        // Each is another key, and no run's id can choose its slot.
        expect(new Set(others.map(hashTagOf)).size).toBe(indexes.length + 1);
        expect(others).not.toContain(keys.list(one.owner, one.status, one.topic));
        expect(keys.list(one.owner, one.status, one.topic)).not.toBe(keys.probe(0));
      }),
    );
  });

  it("S25: all lists of an owner are in one slot of a cluster, so a script may read several", () => {
    fc.assert(
      fc.property(text, list, (owner, { status, topic }) => {
        const keys = keysOf("run-events", "");
        const tag = hashTagOf(keys.list(owner, "queued", null));
        expect(hashTagOf(keys.list(owner, status, topic))).toBe(tag);
      }),
    );
  });
});
