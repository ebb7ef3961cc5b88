import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../src/index.ts";
import { type ChangedRuns, CURSOR_MS, type DeparturesPage } from "../src/rules/changed.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { changedWork, type ChangeMoves } from "../src/store/changed-work.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";

/** A store that changes between the reads of one answer. */
class World {
  runs = new Map<string, RunRecord>();
  /** Each with its time. */
  departures: (readonly [runId: string, atMs: number])[] = [];
  nowMs = 0;
  /** The time of the last change. */
  changedAtMs = 0;
  #ordinal = 0;

  /** @returns what restores the world as it is now; time goes on */
  backUp(): () => void {
    const [runs, departures, ordinal] = [new Map(this.runs), [...this.departures], this.#ordinal];
    return () => {
      this.runs = new Map(runs);
      this.departures = [...departures];
      this.#ordinal = ordinal;
    };
  }

  /** Whether there was a run of this id, and there is none. */
  hasLeft(runId: string): boolean {
    return !this.runs.has(runId) && this.departures.some(([one]) => one === runId);
  }

  change([what, run]: readonly [string, number]): void {
    const runId = `run-${run}`;
    const head = this.runs.get(runId);
    const updatedAtMs = ++this.changedAtMs;
    if (head === undefined) {
      this.#ordinal += 1;
      // Some share a group.
      const ordinal = this.#ordinal % 2 === 0 ? this.#ordinal : 256 * this.#ordinal;
      this.runs.set(
        runId,
        runRecord({
          runId,
          ownerId: "ada",
          ordinal,
          runStatus: "queued",
          lastSequence: 0,
          updatedAtMs,
        }),
      );
      return;
    }
    const isOver = isTerminal(head.runStatus);
    const lastSequence = head.lastSequence + 1;
    if (isOver && what === "delete") this.runs.delete(runId);
    else if (isOver) return;
    else if (what === "append")
      this.runs.set(runId, { ...head, lastSequence, updatedAtMs, runStatus: "running" });
    else this.runs.set(runId, { ...head, lastSequence, updatedAtMs, runStatus: "completed" });
    if (what !== "append") this.departures.push([runId, updatedAtMs]);
  }

  /** @param between changes something, before each read */
  moves(between: () => void): ChangeMoves {
    const read = async <T>(answer: () => T): Promise<T> => {
      between();
      return answer();
    };
    return {
      selectDepartures: ({ since, limit }) =>
        read((): DeparturesPage => {
          const { departures, nowMs } = this;
          const markOf = (count: number): string => `${count}_${departures[count - 1]?.[1] ?? 0}`;
          const from = Number(since?.split("_")[0] ?? departures.length);
          const rest = departures.slice(from);
          return {
            isKnown: since === null || since === markOf(from),
            departures: rest
              .slice(0, limit)
              .map(([runId], at) => ({ runId, mark: markOf(from + at + 1) })),
            hasMore: rest.length > limit,
            mark: markOf(departures.length),
            nowMs,
          };
        }),
      selectLive: () =>
        read(() => [...this.runs.values()].filter(({ runStatus }) => !isTerminal(runStatus))),
      selectHeads: (runIds) => read(() => runIds.flatMap((runId) => this.runs.get(runId) ?? [])),
    };
  }
}

/** What a reader knows. */
class Reader {
  readonly runs = new Map<string, RunRecord>();
  cursor: string | null = null;

  take({ isReset, runs, gone, cursor }: ChangedRuns): void {
    if (isReset) this.runs.clear();
    for (const runId of gone) this.runs.delete(runId);
    for (const run of runs) this.runs.set(run.runId, run);
    this.cursor = cursor;
  }
}

/** Asks until nothing is new. Then the reader has every live run, and each other one that it knows as it is. */
async function expectAll(
  world: World,
  reader: Reader,
  ask: () => Promise<ChangedRuns>,
): Promise<void> {
  for (let answers = 0, isQuiet = false; !isQuiet; answers++) {
    expect(answers).toBeLessThan(100);
    const { runs, gone, hasMore } = await ask();
    isQuiet = runs.length + gone.length === 0 && !hasMore;
  }
  for (const [runId, run] of reader.runs) expect(run).toEqual(world.runs.get(runId));
  for (const run of world.runs.values()) {
    if (!isTerminal(run.runStatus)) expect(reader.runs.get(run.runId)).toEqual(run);
  }
}

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
    const ask = (since: string) => store.listChanged({ ownerId: "ada", since, limit: 9 });
    const { cursor } = await store.listChanged({ ownerId: "ada", since: null, limit: 9 });
    await end("a");
    await end("b");
    await end("c");
    nowMs += 2 * CURSOR_MS + 1;
    await end("d");
    // The clock is set back: the cursor is young again.
    nowMs -= 2 * CURSOR_MS;
    const { runs } = await ask(cursor);
    expect(runs.map(({ runId }) => runId)).toEqual(["c", "d"]);
  });
});
