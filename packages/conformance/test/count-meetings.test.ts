import fc from "fast-check";
import { expect, it } from "vitest";
import type { ReadOperation } from "../src/history/operation.ts";
import { countMeetings } from "../src/processes/count-meetings.ts";

function callOf(client: string, begunAt: number, endedAt: number): ReadOperation {
  const page = { since: 0, ids: [], lastSequence: 0, runStatus: "queued", phaseId: null } as const;
  return { kind: "read", client, runId: "run", begunAt, endedAt, ...page };
}

it("finds no meeting among clients that work one after the other", () => {
  const shifts = fc.array(fc.record({ client: fc.constantFrom("1", "2", "3"), ms: fc.nat(5) }));
  fc.assert(
    fc.property(shifts, (all) => {
      let at = 0;
      const calls = all.map(({ client, ms }) => callOf(client, at, (at += ms)));
      expect(countMeetings(calls)).toBe(0);
    }),
  );
});

it("finds a meeting for each two calls that are under way at once", () => {
  fc.assert(
    fc.property(fc.nat(20), (pairs) => {
      const calls = Array.from({ length: pairs }, (_, index) => [
        callOf("1", index * 10, index * 10 + 6),
        callOf("2", index * 10 + 3, index * 10 + 9),
      ]);
      expect(countMeetings(calls.flat())).toBe(pairs);
    }),
  );
});

it("takes many calls during one long call for one meeting", () => {
  const short = Array.from({ length: 40 }, (_, index) => callOf("1", index + 1, index + 1.5));
  expect(countMeetings([callOf("2", 0, 100), ...short])).toBe(1);
});
