import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventRow } from "../src/rules/plan-appends.ts";
import { newRun } from "../src/rules/plan-run.ts";
import { MemoryRows } from "../src/store/memory-rows.ts";
import { createPolledNotifications } from "../src/store/polled-notifications.ts";
import { type RowMoves, type TransactionMode, workNow } from "../src/store/row-moves.ts";
import { createRowStore } from "../src/store/row-store.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { appendRequest, newEvent } from "./run-record.ts";

type Move = readonly [name: string, ...values: readonly unknown[]];

/** A store in memory that records its moves. */
function openNotedStore(change: (rows: MemoryRows) => void = () => {}): {
  readonly store: RunEventStore;
  readonly moves: Move[];
  readonly modes: TransactionMode[];
} {
  let nowMs = 5_000;
  const rows = new MemoryRows(() => (nowMs += 1_000));
  change(rows);
  const moves: Move[] = [];
  const modes: TransactionMode[] = [];
  const noted = new Proxy(rows, {
    get:
      (_, name) =>
      (...values: readonly unknown[]) => {
        moves.push([String(name), ...values]);
        return Reflect.apply(rows[name as keyof RowMoves], rows, values);
      },
  });
  const store = createRowStore({
    capabilities: {
      durability: "memory",
      shared: false,
      joinsTransaction: false,
      losesAcknowledgements: false,
      appendsAtOnce: 1,
      notifyWithinMs: 0,
    },
    async transact(mode, work) {
      modes.push(mode);
      return workNow(work, noted);
    },
    notifications: createPolledNotifications({ selectPositions: null, pollMs: 10 }),
  });
  return { store, moves, modes };
}

/** The table of `RowMoves`: the mode of each call, and the sequences of its moves. */
function readTable(): ReadonlyMap<string, { readonly mode: string; readonly moves: RegExp }> {
  const source = readFileSync(new URL("../src/store/row-moves.ts", import.meta.url), "utf8");
  const rows = source.matchAll(/^ \* \| (\w+) +\| (write|snapshot|plain) +\| ([^|]+) \|$/gm);
  return new Map(
    [...rows].map(([, call = "", mode = "", moves = ""]) => {
      const pattern = moves.replaceAll(/[A-Za-z]+/g, "(?:$& )").replaceAll(/ (?!\))/g, "");
      return [call, { mode, moves: new RegExp(`^${pattern}$`) }];
    }),
  );
}

const RUN_IDS = ["a", "b", "c"];
const runId = fc.constantFrom(...RUN_IDS);
const since = fc.nat(3);
const limit = fc.integer({ min: 1, max: 3 });
const request = fc
  .record({
    runId,
    key: fc.constantFrom(null, "k", "l"),
    type: fc.constantFrom("TOKEN", "RUN_FINISHED"),
  })
  .map((asked) =>
    appendRequest([newEvent(asked.type)], { runId: asked.runId, idempotencyKey: asked.key }),
  );
const query = fc.record({ runId, since, limit }).map((asked) => ({
  ...asked,
  ownerId: null,
  maxBytes: 100,
}));
const creation = fc
  .record({
    runId,
    topic: fc.constantFrom(null, "tea"),
    exclusive: fc.boolean(),
    claim: fc.constantFrom(null, { leaseMs: 1_000 }),
  })
  .map((asked) => ({ ...asked, ownerId: "ada", metadata: "null" }));

/** A call of each kind. Calls without requests or queries make no transaction. */
const call = fc.oneof(
  creation.map((asked) => ["createRun", asked] as const),
  fc.array(request, { minLength: 1, maxLength: 5 }).map((all) => ["append", all] as const),
  runId.map((id) => ["claim", { runId: id, ownerId: null, leaseMs: 1_000 }] as const),
  runId.map((id) => ["renew", { runId: id, ownerId: null, leaseMs: 1_000, fence: 1 }] as const),
  runId.map((id) => ["release", { runId: id, ownerId: null, fence: 1 }] as const),
  runId.map((id) => ["deleteRun", id, null] as const),
  limit.map((most) => ["purge", { finishedForMs: 2_000, limit: most }] as const),
  fc.constant(["probe"] as const),
  fc.array(query, { minLength: 1, maxLength: 4 }).map((all) => ["read", all] as const),
  runId.map((id) => ["getRun", id] as const),
  limit.map(
    (most) => ["listRuns", { ownerId: "ada", runStatus: null, before: null, limit: most }] as const,
  ),
  limit.map((most) => ["listExpired", { graceMs: 0, limit: most }] as const),
  fc
    .record({ runStatus: fc.constantFrom("queued" as const, "running" as const), limit })
    .map((asked) => ["listIdle", { ...asked, idleForMs: 2_000 }] as const),
);

type Call = typeof call extends fc.Arbitrary<infer One> ? One : never;

describe("the moves of a store", () => {
  it("moves come in the modes and orders of the table of RowMoves, for any calls", async () => {
    const table = readTable();
    const called = new Set<string>();
    async function make(store: RunEventStore, one: Call): Promise<void> {
      const [name, ...values] = one;
      await Reflect.apply(store[name], store, values);
    }
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 30 }), async (calls) => {
        const { store, moves, modes } = openNotedStore();
        for (const one of calls) {
          moves.length = 0;
          modes.length = 0;
          await make(store, one);
          const [name] = one;
          const row = table.get(name);
          const putsOff = name === "listIdle" && moves.some(([move]) => move === "selectHeads");
          expect(modes).toEqual(putsOff ? [row?.mode, "write"] : [row?.mode]);
          expect(moves.map(([move]) => `${move} `).join("")).toMatch(row?.moves ?? /^$/);
          called.add(name);
        }
      }),
      { numRuns: 300 },
    );
    expect([...called].toSorted()).toEqual([...table.keys()].toSorted());
  });

  it("moves get no list that is empty or names a row twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 30 }), async (calls) => {
        const { store, moves } = openNotedStore();
        for (const [name, ...values] of calls) {
          await Reflect.apply(store[name], store, values);
        }
        for (const [, list] of moves) {
          if (!Array.isArray(list)) continue;
          expect(list).not.toEqual([]);
          expect(new Set(list.map((item) => JSON.stringify(item))).size).toBe(list.length);
        }
      }),
    );
  });

  it("S25: an exclusive run that another transaction creates after its head was looked for is found", async () => {
    const asked = { runId: "r", ownerId: "ada", metadata: "null", topic: "tea", exclusive: true };
    const { store, moves } = openNotedStore((rows) => {
      const select = rows.selectHeads.bind(rows);
      let isFirst = true;
      rows.selectHeads = (runIds) => {
        const found = select(runIds);
        if (isFirst) rows.insertRun(newRun(asked, 5_000));
        isFirst = false;
        return found;
      };
    });
    expect(await store.createRun(asked)).toMatchObject({ outcome: "existing" });
    const looks = ["selectHeads", "now", "selectOwned", "selectHeads"];
    expect(moves.map(([move]) => move)).toEqual(looks);
    const another = await store.createRun({ ...asked, runId: "other" });
    expect(another).toEqual({ outcome: "topic_busy", runId: "r" });
  });

  it("S24: a purge that finds only runs which another one has just removed deletes nothing", async () => {
    const due = [["gone"], ["gone", "too"], []];
    const { store, moves } = openNotedStore((rows) => {
      rows.selectDue = () => due.shift() ?? [];
    });
    expect(await store.purge({ finishedForMs: 0, limit: 9 })).toEqual([]);
    const purge = ["selectDue", "selectHeads"];
    expect(moves.map(([move]) => move)).toEqual(["now", ...purge, ...purge, "selectDue"]);
  });
});

describe("S12 the inserts of a large append", () => {
  const sizes = fc.array(fc.constantFrom(0, 10, 400_000, 700_000, 1_048_570, 1_200_000), {
    minLength: 1,
    maxLength: 12,
  });

  async function insertsOf(payloads: readonly string[]): Promise<readonly (readonly EventRow[])[]> {
    const { store, moves } = openNotedStore();
    await store.createRun({ runId: "r", ownerId: "ada", metadata: "null" });
    await store.append([appendRequest(payloads.map((payload) => newEvent("TOKEN", payload)))]);
    return moves
      .filter(([move]) => move === "insertEvents")
      .map(([, rows]) => rows as readonly EventRow[]);
  }

  it("inserts have 1,048,576 UTF-16 units at most each, unless it is one row, and hold every row once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const inserts = await insertsOf(
          lengths.map((length) => JSON.stringify("x".repeat(length))),
        );
        for (const [at, rows] of inserts.entries()) {
          const text = rows.reduce((sum, { payload }) => sum + payload.length, 0);
          expect(rows.length === 1 || text <= 1_048_576).toBe(true);
          // No smaller than necessary: the next row would not have fitted.
          const next = inserts[at + 1]?.[0]?.payload.length ?? Number.POSITIVE_INFINITY;
          expect(text + next).toBeGreaterThan(1_048_576);
        }
        expect(inserts.flat().map(({ sequence }) => sequence)).toEqual(
          lengths.map((_, at) => at + 1),
        );
      }),
      { numRuns: 30 },
    );
  });

  it.each([1, 999, 1_000, 1_001, 2_500])(
    "inserts of %i rows have 1,000 at most each",
    async (count) => {
      const inserts = await insertsOf(Array.from({ length: count }, () => "0"));
      expect(inserts).toHaveLength(Math.ceil(count / 1_000));
      expect(Math.max(...inserts.map((rows) => rows.length))).toBe(Math.min(count, 1_000));
      expect(inserts.flat().map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: count }, (_, at) => at + 1),
      );
    },
  );
});
