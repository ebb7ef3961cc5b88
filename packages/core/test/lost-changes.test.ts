import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChangedRuns } from "../src/rules/changed.ts";
import {
  findWitnesses,
  mergeWitnesses,
  MOST_WITNESSES,
  nextWitnesses,
  NO_WITNESSES,
  withoutDeparted,
} from "../src/rules/witnesses.ts";
import { changedWork } from "../src/store/changed-work.ts";
import { expectAll, Reader, World } from "./changing-world.ts";

const change = fc.tuple(fc.constantFrom("append", "append", "end", "delete"), fc.nat(9));
describe("changedWork of a store that loses what came last", () => {
  it("S29: a reader has the last state of every run, even if the store loses what came last, and starts over only if it had some of that", async () => {
    const turn = fc.record({
      what: fc.constantFrom("ask", "ask", "ask", "back up", "restore"),
      before: fc.array(change, { maxLength: 4 }),
      between: fc.array(fc.array(change, { maxLength: 2 }), { maxLength: 4 }),
      limit: fc.integer({ min: 1, max: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 14, size: "max" }), async (turns) => {
        const world = new World();
        const reader = new Reader();
        let restore = world.backUp();
        let backedUpAtMs = 0;
        // The last change that the reader may have seen, and the first one after it that was lost.
        let seenAtMs = 0;
        let lostAtMs = Number.POSITIVE_INFINITY;
        const ask = async (limit: number, between: () => void): Promise<ChangedRuns> => {
          const query = { ownerId: "ada", since: reader.cursor, limit };
          const answer = await changedWork(query)(world.moves(between));
          // It may start over only with changes that it may have seen.
          if (reader.cursor !== null && seenAtMs < lostAtMs) expect(answer.isReset).toBe(false);
          expect(answer.runs.length + answer.gone.length).toBeLessThanOrEqual(limit);
          reader.take(answer);
          return answer;
        };
        // An id is used again only after a loss: else the state of its new run might come with the departure of the old one.
        const make = (one: readonly [string, number]): void => {
          if (!world.hasLeft(`run-${one[1]}`)) world.change(one);
        };
        for (const { what, before, between, limit } of turns) {
          for (const one of before) make(one);
          if (what === "back up") {
            restore = world.backUp();
            backedUpAtMs = world.changedAtMs;
          } else if (what === "restore") {
            restore();
            lostAtMs = Math.min(lostAtMs, backedUpAtMs + 1);
          } else {
            let at = 0;
            await ask(limit, () => between[at++]?.forEach(make));
            seenAtMs = world.changedAtMs;
          }
        }
        await expectAll(world, reader, () => ask(2, () => {}));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("witnesses", () => {
  const runs = fc
    .uniqueArray(fc.nat(40), { maxLength: 30, size: "max" })
    .map((all) => all.toSorted((a, b) => b - a).map((ordinal) => runOf(ordinal)));
  const runOf = (ordinal: number) => ({ runId: `run-${ordinal}`, ordinal, lastSequence: 0 });

  it("S29: they are the newest runs that the reader has, and each must be live or have departed", () => {
    fc.assert(
      fc.property(runs, runs, fc.func(fc.boolean()), (had, live, hasDeparted) => {
        const first = nextWitnesses(NO_WITNESSES, had, () => true);
        const witnesses = had.slice(0, MOST_WITNESSES);
        expect(first.found.length).toBe(witnesses.length);
        const departed = witnesses.filter(({ ordinal }) => hasDeparted(ordinal));
        const left = withoutDeparted(
          first,
          departed.map(({ runId }) => runId),
        );
        const gone = witnesses.filter(
          (run) => !departed.includes(run) && live.every(({ runId }) => runId !== run.runId),
        );
        const found = findWitnesses(left, live);
        // The first time they are only missed, since they may have departed meanwhile.
        expect(found?.missing.length).toBe(gone.length);
        if (found === null) return;
        expect(findWitnesses(found, live) === null).toBe(gone.length > 0);
        const late = withoutDeparted(
          found,
          gone.map(({ runId }) => runId),
        );
        expect(findWitnesses(late, live)?.missing).toEqual([]);
        // A missing one that is there again is found again.
        expect(findWitnesses(found, [...live, ...gone])?.missing).toEqual([]);
      }),
    );
  });

  it("S29: those that are missing keep their places, and a run that the reader does not have becomes no witness", () => {
    fc.assert(
      fc.property(runs, runs, (had, live) => {
        const first = nextWitnesses(NO_WITNESSES, had, () => true);
        const found = findWitnesses(first, live) ?? NO_WITNESSES;
        const next = nextWitnesses(found, live, () => false);
        expect(next.missing).toEqual(found.missing);
        for (const one of next.found) expect(first.found).toContain(one);
        const all = nextWitnesses(found, live, () => true);
        expect(all.found.length + all.missing.length).toBeLessThanOrEqual(MOST_WITNESSES);
      }),
    );
  });

  it("S29: those of two readers are the newest of both, and equal ones stay as they are", () => {
    fc.assert(
      fc.property(runs, runs, (had, other) => {
        const [one, two] = [had, other].map((all) => nextWitnesses(NO_WITNESSES, all, () => true));
        if (one === undefined || two === undefined) return;
        expect(mergeWitnesses(one, one)).toEqual(one);
        const { found, missing } = mergeWitnesses(one, two);
        expect([new Set(found).size, missing]).toEqual([found.length, []]);
        for (const { found: all } of [one, two])
          expect(found).toEqual(expect.arrayContaining(all.slice(0, MOST_WITNESSES / 2)));
        // One that is missing is looked for again.
        const lost = { found: [], missing: one.found };
        expect(mergeWitnesses(lost, NO_WITNESSES)).toEqual(one);
      }),
    );
  });
});
