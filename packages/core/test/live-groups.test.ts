import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DIGEST_END, digestOfText, LIVE_GROUPS, planLive } from "../src/rules/live-groups.ts";
import type { LivePosition } from "../src/rules/run.ts";

const number = fc.oneof(fc.nat(600), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const position: fc.Arbitrary<LivePosition> = fc
  .record({ ordinal: number, lastSequence: number, updatedAtMs: number })
  .map((place) => ({ ...place, runId: `run-${place.ordinal}` }));
const positions = fc.uniqueArray(position, {
  selector: ({ ordinal }) => ordinal,
  maxLength: 400,
  size: "max",
});
const first = fc.nat(LIVE_GROUPS - 1);

/** The digests of a reader that has all of these runs. */
function digestsOf(runs: readonly LivePosition[]): ReadonlyMap<number, number> {
  return mapOf(planLive(new Map(), runs, 0).changed);
}

type Groups = ReturnType<typeof planLive>["same"];

function idsOf(groups: Groups): readonly string[] {
  return groups.flatMap(({ runs }) => runs.map(({ runId }) => runId));
}

function mapOf(groups: Groups): ReadonlyMap<number, number> {
  return new Map(groups.map(({ group, digest }) => [group, digest]));
}

describe("planLive", () => {
  it("S29: a reader that has nothing gets every run, once", () => {
    fc.assert(
      fc.property(positions, first, (runs, from) => {
        const { changed, same } = planLive(new Map(), runs, from);
        expect(idsOf(changed).toSorted()).toEqual(runs.map(({ runId }) => runId).toSorted());
        expect(same).toEqual([]);
      }),
    );
  });

  it("S29: a reader that has all runs gets none, in whichever order they come", () => {
    fc.assert(
      fc.property(positions, first, fc.nat(), (runs, from, turn) => {
        const at = runs.length === 0 ? 0 : turn % runs.length;
        const turned = [...runs.slice(at), ...runs.slice(0, at)].toReversed();
        const known = digestsOf(runs);
        const { changed, same } = planLive(known, turned, from);
        expect([changed, mapOf(same)]).toEqual([[], known]);
        expect(idsOf(same).toSorted()).toEqual(
          idsOf(planLive(new Map(), runs, 0).changed).toSorted(),
        );
      }),
    );
  });

  it("S29: a run that got an event, one that lost an event and got another, one that was added, and one whose id was used again are sent, and other groups are not", () => {
    const change = fc.constantFrom("append", "lose", "add", "leave", "again");
    fc.assert(
      fc.property(positions, position, change, number, (before, one, kind, more) => {
        const others = before.filter(({ ordinal }) => ordinal !== one.ordinal);
        const later = { ...one, lastSequence: one.lastSequence === more ? more - 1 : more };
        const other = { ...one, updatedAtMs: one.updatedAtMs === more ? more - 1 : more };
        const again = { ...one, ordinal: one.ordinal === more ? more - 1 : more };
        fc.pre(others.every(({ ordinal }) => ordinal !== again.ordinal));
        const states = {
          append: [[one], [later]],
          lose: [[one], [other]],
          add: [[], [one]],
          leave: [[one], []],
          again: [[one], [again]],
        } as const;
        const [[old], [now]] = states[kind as keyof typeof states];
        const known = digestsOf([...others, ...(old ? [old] : [])]);
        const { changed, same } = planLive(known, [...others, ...(now ? [now] : [])], 0);
        const groups = new Set(
          [old, now].flatMap((run) => (run ? [run.ordinal % LIVE_GROUPS] : [])),
        );
        if (now) expect(idsOf(changed)).toContain(now.runId);
        for (const { group } of changed) expect(groups.has(group)).toBe(true);
        for (const [group, digest] of known)
          if (!groups.has(group)) expect(mapOf(same).get(group)).toBe(digest);
      }),
    );
  });

  it("S29: the groups begin at the one that was asked for, and go around", () => {
    fc.assert(
      fc.property(positions, first, (runs, from) => {
        const groups = planLive(new Map(), runs, from).changed.map(({ group }) => group);
        const distances = groups.map((group) => (group - from + LIVE_GROUPS) % LIVE_GROUPS);
        expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      }),
    );
  });

  it("S29: digests are whole numbers of 40 bits, and those of 100,000 neighbours all differ", () => {
    const digests = new Set<number>();
    for (let ordinal = 1; ordinal <= 1_000; ordinal++) {
      for (let lastSequence = 0; lastSequence < 100; lastSequence++) {
        const plan = planLive(
          new Map(),
          [{ runId: "r", ordinal, lastSequence, updatedAtMs: 9 }],
          0,
        );
        const digest = plan.changed[0]?.digest ?? -1;
        expect(digest >= 0 && digest < DIGEST_END && Number.isSafeInteger(digest)).toBe(true);
        digests.add(digest);
      }
    }
    expect(digests.size).toBe(100_000);
  });

  it("S29: texts that differ in one character have other digests", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b);
        expect(digestOfText(a)).not.toBe(digestOfText(b));
      }),
    );
  });
});
