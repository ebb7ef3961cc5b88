import {
  dueKindOf,
  type Head,
  nameKey,
  type Plain,
  type PlainLanding,
} from "@tm/run-events-core/store";
import fc from "fast-check";
import type pg from "pg";
import { expect, it } from "vitest";
import { headAfterPlain, landingOf, takesPlain } from "../../core/src/rules/append-rule.ts";
import { planPlains } from "../src/plan-plains.ts";
import { RUN_COLUMNS, RUN_MEMBERS, RUN_VALUES } from "../src/sql/columns.ts";
import { HEAD } from "./heads.ts";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

const LEASE_MS = 60_000;
const LAST = Number.MAX_SAFE_INTEGER;
const RUN_IDS = ["a", "B"];
/** Long past, and far in the future, so that it does not matter when exactly the server reads its clock. */
const times = fc.constantFrom(1, 8_000_000_000_000);
const phase = fc.constantFrom(null, null, '"plan"', '"write \\u001f b"');

const head = fc.record({
  revision: fc.nat(100),
  runStatus: fc.oneof(
    { weight: 3, arbitrary: fc.constant("running" as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("queued" as const, "waiting" as const, "completed" as const),
    },
  ),
  phase,
  lastSequence: fc.constantFrom(0, 1, 2, LAST - 3, LAST - 2, LAST - 1),
  updatedAtMs: times,
  fence: fc.constantFrom(0, 1, 2),
  leaseExpiresAtMs: fc.option(times, { nil: null }),
  topic: fc.constantFrom(null, "a b"),
  dueMs: times,
  extra: fc.constantFrom("{}", '{"commits":["a"]}'),
});
const event = fc.record({
  eventType: fc.constantFrom("TOKEN", "LOG_LINE"),
  payload: fc.json(),
  phase,
});
const plain: fc.Arbitrary<Plain> = fc.record({
  ownerId: fc.constant("ada"),
  runId: fc.constantFrom(...RUN_IDS),
  events: fc.array(event, { minLength: 1, maxLength: 3 }),
  fence: fc.constantFrom(null, 0, 1, 2),
  leaseMs: fc.constantFrom(null, LEASE_MS),
  expectedSequence: fc.constantFrom(null, null, 0, 1, 2, 3),
  idempotencyKey: fc.constantFrom(null, "k1", "k2"),
});
/** Of one run, for its own statement, or of both. */
const plains = fc.oneof(
  fc.array(
    plain.map((one): Plain => ({ ...one, runId: "a" })),
    { minLength: 1, maxLength: 3 },
  ),
  fc.array(plain, { minLength: 1, maxLength: 6 }),
);

/** The result of the rules for the plains that a statement takes. */
function expected(heads: ReadonlyMap<string, Head>, all: readonly Plain[], nowMs: number) {
  const landings: (PlainLanding | null)[] = all.map(() => null);
  const after = new Map(heads);
  for (const run of planPlains(all)) {
    const before = heads.get(nameKey(run));
    if (before === undefined || !takesPlain(before, { ...run, idempotencyKey: null }, nowMs))
      continue;
    let at: Head = before;
    for (const index of run.indexes) {
      const one = all[index];
      if (one === undefined) throw new TypeError("Expected an index of the call.");
      at = headAfterPlain(at, one, nowMs);
      landings[index] = landingOf(at, one);
    }
    // The answers have the phase and the lease after all of them.
    const { leaseExpiresAtMs } = at;
    for (const index of run.indexes) {
      const landing = landings[index];
      if (landing) landings[index] = { ...landing, phase: at.phase, leaseExpiresAtMs };
    }
    after.set(nameKey(run), { ...at, revision: before.revision + 1 });
  }
  return { landings, after: [...after.values()] };
}

/** Replaces the times of the server's clock, which lie between these, by one. */
function timeless(value: unknown, fromMs: number, toMs: number): unknown {
  const close = (key: string, one: unknown): unknown => {
    if (typeof one !== "number" || !key.endsWith("Ms")) return one;
    const leaseMs = key === "leaseExpiresAtMs" ? LEASE_MS : 0;
    return one >= fromMs + leaseMs && one <= toMs + leaseMs ? fromMs + leaseMs : one;
  };
  return JSON.parse(JSON.stringify(value, close)) as unknown;
}

async function insertHead(pool: pg.Pool, schema: string, head: Head): Promise<void> {
  const row = { ...head, dueKind: dueKindOf(head), metadata: "{}" };
  await pool.query(
    `INSERT INTO ${schema}.runs (${RUN_COLUMNS}) SELECT ${RUN_VALUES} FROM json_to_record($1::json) AS q (${RUN_MEMBERS})`,
    [JSON.stringify(row)],
  );
}

it("S1, S5: the statements of plain appends take what `takesPlain` takes, and leave what `headAfterPlain` leaves", async () => {
  const schema = newSchema();
  const pool = openPool(server().url);
  const { inner: store } = await openStore(pool, { schema });
  let ordinal = 0;
  await fc.assert(
    fc.asyncProperty(head, head, plains, async (first, second, drawn) => {
      const heads = new Map<string, Head>();
      // Each program has its own owner.
      const ownerId = `ada-${(ordinal += 1)}`;
      for (const [at, one] of [first, second].entries()) {
        ordinal += 1;
        const named = { ...HEAD, ...one, ownerId, runId: RUN_IDS[at] ?? "", ordinal };
        heads.set(nameKey(named), named);
        await insertHead(pool, schema, named);
      }
      const all = drawn.map((one): Plain => ({ ...one, ownerId }));
      const fromMs = await store.probe();
      const landings = await store.append(all);
      const toMs = await store.probe();
      const model = expected(heads, all, fromMs);
      expect(timeless(landings, fromMs, toMs)).toEqual(model.landings);
      const pages = await store.read(
        [...heads.values()].map(({ runId, lastSequence: since }) => ({
          ownerId,
          runId,
          since,
          limit: 100,
          maxBytes: 1e6,
        })),
      );
      expect(
        timeless(
          pages.map((page) => page?.head),
          fromMs,
          toMs,
        ),
      ).toEqual(model.after);
      for (const page of pages) {
        const landed = all.flatMap((one, at) =>
          one.runId === page?.head.runId && landings[at] !== null ? one.events : [],
        );
        expect(page?.events.map(({ eventType, payload }) => ({ eventType, payload }))).toEqual(
          landed.map(({ eventType, payload }) => ({ eventType, payload })),
        );
      }
    }),
    { numRuns: 200 },
  );
});
