import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import type { DueKind } from "../../src/rules/due.ts";
import type { ListedStatus } from "../../src/rules/listed.ts";
import { createKvStore } from "../../src/store/kv/kv-store.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import type { RunEventStore } from "../../src/store/store.ts";
import { type Call, append, makeCall } from "./arbitrary-calls.ts";
import { createMvccEngine, MvccData } from "./mvcc-engine.ts";

/** More than a scan asks for at once. */
const RUNS = 130;
const BATCHES = 250;
const OWNER = "ünal";
const LONG = { ownerId: OWNER, runId: "long" };

let nowMs = 1_000;
const now = (): number => nowMs;
const memory = createMemoryStore({ now });
const kv = createKvStore(createMvccEngine(new MvccData(), { now }));

/** Fills a store. It takes the same steps as the other, so that only ordinals differ. */
async function fill(store: RunEventStore): Promise<void> {
  nowMs = 1_000;
  const call = (what: Call["what"], runId: string, topic: string | null = null): Promise<unknown> =>
    makeCall(store, { what, name: { ownerId: OWNER, runId }, topic });
  for (let at = 0; at < RUNS; at++) {
    nowMs += 10;
    await call("create", `run-${at}`, at % 3 === 0 ? "tea & é" : null);
    if (at % 2 === 0) await call("start", `run-${at}`);
    if (at % 5 === 0) await call("end", `run-${at}`);
    if (at % 7 === 0) await call("claim", `run-${at}`);
  }
  await call("create", LONG.runId);
  await call("start", LONG.runId);
  for (let at = 0; at < BATCHES; at++) {
    nowMs += 1;
    const events = Array.from({ length: 1 + (at % 4) }, (_, of) => ({
      eventType: "TOKEN",
      phase: null,
      payload: JSON.stringify("é".repeat((at * 37 + of) % 300)),
    }));
    await append(store, LONG, events);
  }
}

beforeAll(async () => {
  await fill(memory);
  await fill(kv);
});

it("S9 a page is cut as that of the memory store, wherever it begins", async () => {
  const query = fc.record({
    since: fc.nat({ max: 700 }),
    limit: fc.nat({ max: 700 }),
    maxBytes: fc.oneof(fc.nat({ max: 50_000 }), fc.constant(4_000_000)),
  });
  await fc.assert(
    fc.asyncProperty(query, async (page) => {
      const [expected] = await memory.read([{ ...LONG, ...page }]);
      const [found] = await kv.read([{ ...LONG, ...page }]);
      expect(found?.events).toEqual(expected?.events);
    }),
  );
});

it("S8 a call of more queries than an engine takes keys is answered in order", async () => {
  const queries = Array.from({ length: 300 }, (_, at) => ({
    ownerId: OWNER,
    runId: `run-${at % (RUNS + 3)}`,
    since: 0,
    limit: 1,
    maxBytes: 1e3,
    wantsMetadata: true,
  }));
  const [expected, found] = await Promise.all([memory.read(queries), kv.read(queries)]);
  const shown = (all: typeof found): unknown =>
    all.map((one) => one && [one.head.runId, one.head.metadata, one.events]);
  expect(shown(found)).toEqual(shown(expected));
});

it("W14 a list has the runs that the memory store has, in their order", async () => {
  const statuses: fc.Arbitrary<ListedStatus | null> = fc.constantFrom(
    ...([null, "live", "queued", "running", "completed", "failed"] as const),
  );
  const query = fc.record({
    runStatus: statuses,
    topic: fc.constantFrom(null, "tea & é", "coffee"),
    limit: fc.integer({ min: 1, max: 200 }),
    page: fc.nat({ max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(query, async ({ page, ...rest }) => {
      const pages = async (store: RunEventStore): Promise<unknown> => {
        let before: number | null = null;
        const all: (readonly string[])[] = [];
        for (let at = 0; at <= page; at++) {
          const heads = await store.list({ ownerId: OWNER, ...rest, before });
          all.push(heads.map(({ runId }) => runId));
          before = heads.at(-1)?.ordinal ?? before;
        }
        return all;
      };
      expect(await pages(kv)).toEqual(await pages(memory));
    }),
  );
});

it("S23 due runs are those of the memory store, to the millisecond", async () => {
  const kinds: readonly DueKind[] = ["leased", "queued", "running", "waiting", "finished"];
  const query = fc.record({
    due: fc.constantFrom(...kinds),
    // Most due times are multiples of ten.
    untilMs: fc.oneof(
      fc.nat({ max: 3_000 }),
      fc.nat({ max: 300 }).map((tens) => 10 * tens),
    ),
    limit: fc.integer({ min: 1, max: 200 }),
  });
  await fc.assert(
    fc.asyncProperty(query, async ({ untilMs, ...rest }) => {
      const due = { ...rest, forMs: nowMs - untilMs };
      const times = async (store: RunEventStore): Promise<unknown> =>
        (await store.list(due)).map(({ dueMs }) => dueMs);
      expect(await times(kv)).toEqual(await times(memory));
    }),
    { numRuns: 500 },
  );
});
