import { type Head, type Plain, type PlainLanding } from "@tm/run-events-core/store";
import { STATUSES } from "@tm/run-events-core/wire";
import { REDIS_PROGRAMS } from "@tm/run-events-test-servers";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { headAfterPlain, landingOf, takesPlain } from "../../core/src/rules/append-rule.ts";
import { openRedisStore } from "../src/index.ts";
import { encodeHead, parseHead } from "../src/head-text.ts";
import { connect, openServer, runKeys } from "./opened.ts";

/** Long past, and far in the future, so that it does not matter when exactly the server reads its clock. */
const times = fc.constantFrom(1, 8_000_000_000_000);
const LAST = Number.MAX_SAFE_INTEGER;
const phase = fc.constantFrom(null, '"plan"', '"write a b"');
const NAME = { ownerId: "ada", runId: "a" };

const head: fc.Arbitrary<Head> = fc.record({
  ownerId: fc.constant("ada"),
  runId: fc.constant("a"),
  ordinal: fc.constant(7),
  revision: fc.nat(100),
  runStatus: fc.oneof(
    { weight: 3, arbitrary: fc.constant("running" as const) },
    { weight: 1, arbitrary: fc.constantFrom(...STATUSES) },
  ),
  phase,
  lastSequence: fc.constantFrom(0, 1, 2, 9, LAST - 3, LAST - 2, LAST - 1),
  updatedAtMs: times,
  fence: fc.constantFrom(0, 1, 2),
  leaseExpiresAtMs: fc.option(times, { nil: null }),
  topic: fc.constantFrom(null, "a b\n"),
  exclusive: fc.boolean(),
  dueMs: times,
  extra: fc.constantFrom("{}", '{"commits":["a\\nb"]}'),
});
const event = fc.record({
  eventType: fc.constantFrom("TOKEN", "LOG_LINE"),
  payload: fc.json(),
  phase,
});
const plain: fc.Arbitrary<Plain> = fc.record({
  ownerId: fc.constant("ada"),
  runId: fc.constant("a"),
  events: fc.array(event, { maxLength: 3 }),
  fence: fc.constantFrom(null, 0, 1, 2),
  leaseMs: fc.constantFrom(null, 60_000),
  expectedSequence: fc.constantFrom(null, null, 0, 1, 2, 3, 4, 9),
  idempotencyKey: fc.constantFrom(null, "k1", "k2"),
});

/** The result of the rules for plains, one after the other. */
function expected(from: Head, plains: readonly Plain[], nowMs: number) {
  let at = from;
  let isOpen = true;
  const keys = new Set<string>();
  const landings = plains.map((one): PlainLanding | null => {
    const isNew = one.idempotencyKey === null || !keys.has(one.idempotencyKey);
    isOpen &&= takesPlain(at, one, nowMs) && isNew;
    if (!isOpen) return null;
    if (one.idempotencyKey !== null) keys.add(one.idempotencyKey);
    at = headAfterPlain(at, one, nowMs);
    return landingOf(at, one);
  });
  return { landings, after: at, hasReceipts: keys.size > 0 };
}

/** Replaces the times of the server's clock, which lie between these, by one. */
function timeless<Value>(value: Value, fromMs: number, toMs: number, nowMs: number): Value {
  const close = (key: string, one: unknown): unknown => {
    if (typeof one !== "number" || !key.endsWith("Ms")) return one;
    const leaseMs = key === "leaseExpiresAtMs" ? 60_000 : 0;
    return one >= fromMs + leaseMs && one <= toMs + leaseMs ? nowMs + leaseMs : one;
  };
  return JSON.parse(JSON.stringify(value, close)) as Value;
}

async function prepare(redis: Redis, { lastSequence, ...rest }: Head): Promise<void> {
  const keys = runKeys("a");
  await redis.del(keys.head, keys.events, keys.receipts);
  await redis.set(keys.head, encodeHead({ head: { ...rest, lastSequence }, hasReceipts: false }));
  if (lastSequence > 0)
    await redis.xadd(keys.events, `${lastSequence}-0`, "t", "T", "p", "1", "c", "1");
}

it.each(REDIS_PROGRAMS)(
  "S1, S5: the script of plain appends takes what `takesPlain` takes, and leaves what `headAfterPlain` leaves: %s",
  async (program) => {
    const redis = connect(await openServer({ program }));
    const store = await openRedisStore(redis);
    await fc.assert(
      fc.asyncProperty(
        head,
        fc.array(plain, { minLength: 1, maxLength: 4 }),
        async (from, plains) => {
          await prepare(redis, from);
          const fromMs = await store.probe();
          const landings = await store.append(plains);
          const toMs = await store.probe();
          const model = expected(from, plains, fromMs);
          expect(timeless(landings, fromMs, toMs, fromMs)).toEqual(model.landings);
          const stored = parseHead(NAME, (await redis.get(runKeys("a").head)) ?? "");
          expect(timeless(stored, fromMs, toMs, fromMs)).toEqual({
            head: model.after,
            hasReceipts: model.hasReceipts,
          });
          const events = landings.flatMap((landing, at) =>
            landing === null ? [] : (plains[at]?.events ?? []),
          );
          const [read] = await store.read([
            { ...NAME, since: from.lastSequence, limit: 100, maxBytes: 1e6 },
          ]);
          expect(timeless(read?.events, fromMs, toMs, fromMs)).toEqual(
            events.map(({ eventType, payload }, at) => ({
              sequence: from.lastSequence + at + 1,
              eventType,
              payload,
              createdAtMs: Math.max(fromMs, from.updatedAtMs),
            })),
          );
        },
      ),
      { numRuns: 400 },
    );
  },
);
