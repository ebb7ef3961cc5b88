import { createMemoryStore, type RunEventStore } from "@tm/run-events-core";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRedisStore, type RedisStore } from "../src/index.ts";
import { type Client, type Servers, SETUPS } from "./clients.ts";
import { appendOf, createOf, endOf, oneTo, queryOf, readLog, readValues } from "./requests.ts";

const RUN_IDS = ["a", "b", "missing"] as const;

const arbRequest = fc
  .record({
    runId: fc.constantFrom(...RUN_IDS),
    ownerId: fc.constantFrom(null, "ada", "bob"),
    events: fc.array(
      fc.record({
        eventType: fc.constantFrom("LOG_LINE", "PHASE_STARTED"),
        payload: fc.constantFrom("1", '"ü"'),
        phase: fc.constantFrom(null, null, '"draft"', '"review"'),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    ends: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    idempotencyKey: fc.constantFrom(null, null, "k1", "k2", ""),
    expectedSequence: fc.constantFrom(null, null, null, 0, 1, 2, 3),
    appender: fc.oneof(
      { weight: 6, arbitrary: fc.constant({ by: "anybody" as const }) },
      {
        weight: 4,
        arbitrary: fc.record({ by: fc.constant("worker" as const), fence: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: 1, arbitrary: fc.constant({ by: "owner" as const }) },
      {
        weight: 1,
        // The leases here have just begun, or ended long ago.
        arbitrary: fc.record({
          by: fc.constant("reaper" as const),
          graceMs: fc.constantFrom(0, 1_000_000),
        }),
      },
    ),
  })
  .map(({ ends, ...request }) =>
    ends
      ? {
          ...request,
          events: [...request.events, { eventType: "RUN_FAILED", payload: "null", phase: null }],
          runStatus: "failed" as const,
        }
      : { ...request, runStatus: "running" as const },
  );

async function stateOf(store: RunEventStore): Promise<unknown> {
  const pages = await store.read(
    RUN_IDS.flatMap((runId) => [0, 1, 3].map((since) => queryOf(runId, { since, limit: 4 }))),
  );
  return pages.map((page) =>
    page === null
      ? null
      : {
          phaseAtSince: page.phaseAtSince,
          run: { ...page.run, ordinal: 0, createdAtMs: 0, updatedAtMs: 0, finishedAtMs: 0 },
          events: page.events.map((event) => ({ ...event, createdAtMs: 0 })),
        },
  );
}

describe.each(SETUPS)("the Redis store on $name", ({ start }) => {
  let servers: Servers;
  let redis: Client;

  beforeAll(async () => {
    servers = await start();
    redis = servers.connect();
  });

  afterAll(async () => {
    redis.disconnect();
    await servers.close();
  });

  function openFresh(): Promise<RedisStore> {
    return openRedisStore(redis, { prefix: crypto.randomUUID() });
  }

  it("S5: answers as the reference store does, however the requests are grouped", async () => {
    const groups = fc.array(fc.array(arbRequest, { minLength: 1, maxLength: 6 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(groups, async (appends) => {
        const store = await openFresh();
        const reference = createMemoryStore();
        for (const runId of ["a", "b"]) {
          await store.createRun(createOf(runId));
          await reference.createRun(createOf(runId));
        }
        for (const group of appends) {
          expect(await store.append(group)).toEqual(await reference.append(group));
        }
        expect(await stateOf(store)).toEqual(await stateOf(reference));
        await store.close();
      }),
    );
  });

  it("S2: a group reaches runs of every node, and each request stands alone", async () => {
    const store = await openFresh();
    const runIds = oneTo(200).map((number) => `run-${number}`);
    await Promise.all(runIds.map((runId) => store.createRun(createOf(runId))));
    const outcomes = await store.append(
      runIds.flatMap((runId) => [
        appendOf(runId, runId),
        appendOf(runId, null, { expectedSequence: 9 }),
        appendOf(`no-${runId}`),
        endOf(runId),
      ]),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(
      runIds.flatMap(() => ["appended", "sequence_conflict", "not_found", "appended"]),
    );
    for (const runId of runIds) expect(await readValues(store, runId)).toEqual([runId, null]);
    await store.close();
  });

  it("S2: the requests for one run keep their order beyond what one script takes", async () => {
    const store = await openFresh();
    await store.createRun(createOf("a"));
    await store.createRun(createOf("b"));
    const batch = oneTo(700).map((value) => ({
      eventType: "LOG_LINE",
      payload: String(value),
      phase: null,
    }));
    const outcomes = await store.append([
      appendOf("a", null, { events: batch }),
      appendOf("b", 1),
      appendOf("a", null, { events: batch }),
      appendOf("a", null, { events: [...batch, ...batch] }),
      endOf("a"),
      appendOf("b", 2),
    ]);
    expect(
      outcomes.map((outcome) => ("firstSequence" in outcome ? outcome.firstSequence : 0)),
    ).toEqual([1, 1, 701, 1401, 2801, 2]);
    expect(await readValues(store, "a")).toEqual([
      ...oneTo(700),
      ...oneTo(700),
      ...oneTo(700),
      ...oneTo(700),
      null,
    ]);
    await store.close();
  });

  it("S9: a page of large events is cut by bytes and goes on without a hole", async () => {
    const store = await openFresh();
    await store.createRun(createOf("a"));
    const large = "é".repeat(100_000);
    for (const value of oneTo(40)) await store.append([appendOf("a", `${value}${large}`)]);
    const [page] = await store.read([queryOf("a", { maxBytes: 1_000_000 })]);
    expect(page?.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(await readValues(store, "a")).toEqual(oneTo(40).map((value) => `${value}${large}`));
    await store.close();
  });

  it("W2: time stands still in a run that was last changed by a server whose clock was ahead", async () => {
    const prefix = crypto.randomUUID();
    const store = await openRedisStore(redis, { prefix });
    await store.createRun(createOf("a"));
    const ahead = Date.now() + 1_000_000;
    await (redis as Redis).hset(`${prefix}:{run:a}:head`, "updatedAtMs", ahead);
    await store.append([appendOf("a", 1)]);
    await store.append([endOf("a")]);
    expect((await readLog(store, "a")).map(({ createdAtMs }) => createdAtMs)).toEqual([
      ahead,
      ahead,
    ]);
    expect(await store.getRun("a")).toMatchObject({ updatedAtMs: ahead, finishedAtMs: ahead });
    await store.close();
  });

  it("S11: what is returned has the shapes of core, with numbers for numbers", async () => {
    const store = await openFresh();
    await store.createRun(createOf("a"));
    expect(await store.append([appendOf("a", 1)])).toStrictEqual([
      { outcome: "appended", firstSequence: 1, lastSequence: 1, runStatus: "running", phase: null },
    ]);
    expect(await store.getRun("a")).toStrictEqual({
      runId: "a",
      ownerId: "ada",
      runStatus: "running",
      phase: null,
      lastSequence: 1,
      ordinal: expect.any(Number),
      createdAtMs: expect.any(Number),
      updatedAtMs: expect.any(Number),
      finishedAtMs: null,
      metadata: "{}",
      fence: 0,
      leaseExpiresAtMs: null,
    });
    expect(await readLog(store, "a")).toStrictEqual([
      { sequence: 1, eventType: "LOG_LINE", payload: "1", createdAtMs: expect.any(Number) },
    ]);
    await store.close();
  });

  it("S18: close refuses what comes after it and leaves the client to its owner", async () => {
    const store = await openFresh();
    await store.createRun(createOf("a"));
    await store.close();
    await store.close();
    const closed = { code: "store_unavailable", retryable: false, ambiguous: false };
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(closed);
    await expect(store.read([queryOf("a")])).rejects.toMatchObject(closed);
    await expect(store.watch("a", () => {}).ready).rejects.toMatchObject(closed);
    const other = await openFresh();
    expect(await other.getRun("a")).toBeNull();
    await other.close();
  });

  it("S19: stores with other prefixes share a server and nothing else", async () => {
    const prefix = crypto.randomUUID();
    const ours = await openRedisStore(redis, { prefix });
    const theirs = await openRedisStore(redis, { prefix: `${prefix}:run` });
    await ours.createRun(createOf("a"));
    await ours.append([appendOf("a", 1)]);
    expect(await theirs.getRun("a")).toBeNull();
    expect(await theirs.createRun({ ...createOf("a"), ownerId: "bob" })).toMatchObject({
      outcome: "created",
    });
    await ours.close();
    await theirs.close();
  });

  it.each(["", "a{b", "a}b", "a b"])("a bad prefix is a TypeError: %j", async (prefix) => {
    await expect(openRedisStore(redis, { prefix })).rejects.toThrow(TypeError);
  });
});
