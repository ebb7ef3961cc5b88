import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../src/index.ts";
import { type ChangedRuns, CURSOR_MS } from "../src/rules/changed.ts";
import { changedWork } from "../src/store/changed-work.ts";
import { expectAll, Reader, World } from "./changing-world.ts";
import { appendRequest, newEvent } from "./run-record.ts";

const change = fc.tuple(fc.constantFrom("append", "append", "end", "delete"), fc.nat(9));
const turn = fc.record({
  before: fc.array(change, { maxLength: 4 }),
  between: fc.array(fc.array(change, { maxLength: 2 }), { maxLength: 6 }),
  limit: fc.integer({ min: 1, max: 3 }),
  goesBack: fc.nat(3),
});

describe("changedWork", () => {
  it("S29: a reader has the last state of every run, no matter what changes between the reads of an answer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 12, size: "max" }), async (turns) => {
        const world = new World();
        const reader = new Reader();
        const cursors: (string | null)[] = [null];
        const ask = async (limit: number, between: () => void): Promise<ChangedRuns> => {
          const query = { ownerId: "ada", since: reader.cursor, limit };
          const answer = await changedWork(query)(world.moves(between));
          expect(answer.isReset).toBe(reader.cursor === null);
          expect(answer.runs.length + answer.gone.length).toBeLessThanOrEqual(limit);
          // A reader has every live run of an answer, as it is there or later.
          const has = new Map([
            ...reader.runs,
            ...answer.runs.map((run) => [run.runId, run] as const),
          ]);
          for (const { runId, lastSequence } of answer.live)
            if (!answer.gone.includes(runId))
              expect(has.get(runId)?.lastSequence).toBeGreaterThanOrEqual(lastSequence);
          const ids = answer.runs.map(({ runId }) => runId);
          expect(new Set([...ids, ...answer.gone]).size).toBe(ids.length + answer.gone.length);
          reader.take(answer);
          return answer;
        };
        for (const { before, between, limit, goesBack } of turns) {
          for (const one of before) world.change(one);
          let at = 0;
          await ask(limit, () => between[at++]?.forEach((one) => world.change(one)));
          cursors.push(reader.cursor);
          // It comes back with an older cursor, and forgets nothing for it.
          if (goesBack > 0) reader.cursor = cursors.at(-goesBack) ?? reader.cursor;
        }
        await expectAll(world, reader, () => ask(2, () => {}));
      }),
      { numRuns: 500 },
    );
  });

  it("S29: a group that always changes does not keep the others waiting", async () => {
    const world = new World();
    for (let run = 0; run < 6; run++) world.change(["append", run]);
    const reader = new Reader();
    const seen = new Set<string>();
    for (let answers = 0; answers < 12; answers++) {
      for (const run of [0, 1]) world.change(["append", run]);
      const query = { ownerId: "ada", since: reader.cursor, limit: 1 };
      const answer = await changedWork(query)(world.moves(() => {}));
      reader.take(answer);
      for (const { runId } of answer.runs) seen.add(runId);
    }
    expect(seen.size).toBe(6);
  });

  it("S29: runs of one group come in several answers, each of a bounded number and size, also while they change", async () => {
    const world = new World();
    // All that are created first share a group.
    for (let run = 0; run < 80; run++) world.change(["append", run]);
    const metadata = JSON.stringify("x".repeat(200_000));
    for (const [runId, head] of world.runs)
      world.runs.set(runId, { ...head, ordinal: 256 * head.ordinal, metadata });
    const reader = new Reader();
    const ask = async (between: () => void): Promise<boolean> => {
      const query = { ownerId: "ada", since: reader.cursor, limit: 200 };
      const answer = await changedWork(query)(world.moves(between));
      reader.take(answer);
      // 1 MiB, and then one piece.
      expect(answer.runs.length).toBeLessThanOrEqual(5 + 16);
      return answer.hasMore;
    };
    for (let answers = 0; reader.runs.size < 80; answers++) {
      expect(answers).toBeLessThan(10);
      world.change(["append", 0]);
      await ask(() => world.change(["append", 40]));
    }
    for (let answers = 0; await ask(() => {}); answers++) expect(answers).toBeLessThan(10);
    expect(reader.runs).toEqual(world.runs);
  });

  it("S29: a page of departures keeps the time of its cursor, since they are no younger", async () => {
    const world = new World();
    world.change(["append", 0]);
    const ask = (since: string | null) =>
      changedWork({ ownerId: "ada", since, limit: 1 })(world.moves(() => {}));
    const { cursor } = await ask(null);
    for (const run of [0, 1, 1]) world.change(["end", run]);
    world.nowMs = CURSOR_MS;
    const first = await ask(cursor);
    expect(first).toMatchObject({ isReset: false, hasMore: true });
    world.nowMs += 1;
    expect((await ask(first.cursor)).isReset).toBe(true);
  });
});

describe("the memory store", () => {
  it("S29: a cursor of an hour ago is good, and a later one starts over", async () => {
    let nowMs = 1_000_000;
    const store = createMemoryStore({ now: () => nowMs });
    await store.createRun({ runId: "r", ownerId: "ada", metadata: "null" });
    const ask = (since: string | null) => store.listChanged({ ownerId: "ada", since, limit: 9 });
    const { cursor } = await ask(null);
    await store.append([appendRequest([newEvent("RUN_COMPLETED")], { runId: "r" })]);
    nowMs += CURSOR_MS;
    expect(await ask(cursor)).toMatchObject({ isReset: false, runs: [{ runId: "r" }] });
    nowMs += 1;
    expect(await ask(cursor)).toMatchObject({ isReset: true, runs: [], gone: [] });
  });

  it("S29: departures are kept for two hours, and forgotten as others come", async () => {
    let nowMs = 1_000_000;
    const store = createMemoryStore({ now: () => nowMs });
    const end = async (runId: string): Promise<void> => {
      await store.createRun({ runId, ownerId: "ada", metadata: "null" });
      await store.append([appendRequest([newEvent("RUN_COMPLETED")], { runId })]);
    };
    await store.createRun({ runId: "r", ownerId: "ada", metadata: "null" });
    const ask = (since: string | null) => store.listChanged({ ownerId: "ada", since, limit: 9 });
    const cursors = [(await ask(null)).cursor];
    for (const runId of ["a", "b", "c"]) {
      await end(runId);
      cursors.push((await ask(null)).cursor);
    }
    nowMs += 2 * CURSOR_MS + 1;
    await end("d");
    // The clock is set back: the cursors are young again. Of two of them departures were forgotten.
    nowMs -= 2 * CURSOR_MS;
    const answers = await Promise.all(cursors.map(ask));
    expect(answers.map(({ isReset }) => isReset)).toEqual([true, true, false, false]);
    expect(answers[2]?.runs.map(({ runId }) => runId)).toEqual(["c", "d"]);
  });
});
