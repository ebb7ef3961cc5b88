import { createMemoryStore } from "@tm/run-events-core";
import type { LeaseOutcome, RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { countFences } from "@tm/run-events-test-servers";
import { expectApart, expectShapes } from "@tm/run-events-test-servers/expectations";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openRedisStore } from "../src/index.ts";
import { arbitraryStep, RUN_IDS, type Step } from "./arbitrary-step.ts";
import { SETUPS } from "./clients.ts";
import { connect, openServer } from "./opened.ts";
import { passTime } from "./pass-time.ts";
import {
  appendOf,
  createOf,
  endOf,
  oneTo,
  queryOf,
  readLog,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { useServers } from "./use-servers.ts";

/** The answer of a store to a step, without the values that depend on the time of day. */
async function answerTo(
  store: RunEventStore,
  step: Exclude<Step, { do: "pass" }>,
): Promise<unknown> {
  switch (step.do) {
    case "append":
      return store.append(step.requests);
    case "list expired":
      return (await store.listExpired({ graceMs: step.graceMs, limit: 10 })).toSorted();
    case "claim":
      return timelessOutcome(await store.claim({ ...step, ownerId: null }));
    case "renew":
      return timelessOutcome(await store.renew({ ...step, ownerId: null }));
    case "release":
      return timelessOutcome(await store.release({ ...step, ownerId: null }));
  }
}

function timelessOutcome(outcome: LeaseOutcome): LeaseOutcome {
  if (outcome.outcome === "granted") return { ...outcome, run: timeless(outcome.run) };
  return outcome.outcome === "claimed" ? { ...outcome, leaseExpiresAtMs: 0 } : outcome;
}

function timeless(run: RunRecord): RunRecord {
  return {
    ...run,
    ordinal: 0,
    createdAtMs: 0,
    updatedAtMs: 0,
    finishedAtMs: run.finishedAtMs === null ? null : 0,
    leaseExpiresAtMs: run.leaseExpiresAtMs === null ? null : 0,
    idleFromMs: 0,
  };
}

async function stateOf(store: RunEventStore): Promise<unknown> {
  const pages = await store.read(
    RUN_IDS.flatMap((runId) => [0, 1, 3].map((since) => queryOf(runId, { since, limit: 4 }))),
  );
  return pages.map((page) =>
    page === null
      ? null
      : {
          run: timeless(page.run),
          events: page.events.map((event) => ({ ...event, createdAtMs: 0 })),
        },
  );
}

describe.each(SETUPS)("the Redis store on $name", (setup) => {
  const openFresh = useServers(setup);
  it("S5, S21, S22, S23: the store answers as the reference store does, for calls in any order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryStep, { maxLength: 12 }), async (steps) => {
        const { prefix, redis, store: opened } = await openFresh();
        const store = countFences(opened);
        let passedMs = 0;
        const reference = countFences(createMemoryStore({ now: () => Date.now() + passedMs }));
        for (const runId of ["a", "b"]) {
          await store.createRun(createOf(runId));
          await reference.createRun(createOf(runId));
        }
        for (const step of steps) {
          if (step.do === "pass") {
            passedMs += step.ms;
            await passTime(redis, prefix, RUN_IDS, step.ms);
          } else {
            expect(await answerTo(store, step)).toEqual(await answerTo(reference, step));
          }
        }
        expect(await stateOf(store)).toEqual(await stateOf(reference));
        await store.close();
      }),
      { numRuns: 200 },
    );
  });

  it("S2: a group reaches runs of every node, and each request lands or fails alone", async () => {
    const { store } = await openFresh();
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

  it("S2: the requests for one run keep their order, even if they need several scripts", async () => {
    const { store } = await openFresh();
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
});

describe.each(SETUPS)("one store object on $name", (setup) => {
  const openFresh = useServers(setup);

  it("S9: a page of large events is cut by bytes, and the next one continues without a hole", async () => {
    const { store } = await openFresh();
    await store.createRun(createOf("a"));
    const large = "é".repeat(100_000);
    for (const value of oneTo(40)) await store.append([appendOf("a", `${value}${large}`)]);
    const [page] = await store.read([queryOf("a", { maxBytes: 1_000_000 })]);
    expect(page?.events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(await readValues(store, "a")).toEqual(oneTo(40).map((value) => `${value}${large}`));
    await store.close();
  });

  it("W2: a run's time does not advance while its last change is ahead of the server's clock", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("a"));
    const ahead = Date.now() + 1_000_000;
    await redis.hset(`${prefix}:{run:a}:head`, "updatedAtMs", ahead);
    await store.append([appendOf("a", 1)]);
    await store.append([endOf("a")]);
    expect((await readLog(store, "a")).map(({ createdAtMs }) => createdAtMs)).toEqual([
      ahead,
      ahead,
    ]);
    expect(await store.getRun("a")).toMatchObject({ updatedAtMs: ahead, finishedAtMs: ahead });
    await store.close();
  });

  it("S11: answers have the shapes of core, with numbers for numbers", async () => {
    const { store } = await openFresh();
    await expectShapes(store);
    await store.close();
  });

  it("S18: `close` refuses later calls and leaves the client open", async () => {
    const { store } = await openFresh();
    await store.createRun(createOf("a"));
    await store.close();
    await store.close();
    const closed = { code: "store_unavailable", retryable: false, ambiguous: false };
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(closed);
    await expect(store.read([queryOf("a")])).rejects.toMatchObject(closed);
    await expect(store.subscribe("a", () => {}).ready).rejects.toMatchObject(closed);
    const { store: other } = await openFresh();
    expect(await other.getRun("a")).toBeNull();
    await other.close();
  });

  it("S19: stores with different prefixes share a server and nothing else", async () => {
    const { prefix, redis, store: ours } = await openFresh();
    const theirs = await openRedisStore(redis, { prefix: `${prefix}:run` });
    await expectApart(ours, theirs);
    await ours.close();
    await theirs.close();
  });
});

it.each(["", "a{b", "a}b", "a b"])("a bad prefix is a TypeError: %j", async (prefix) => {
  const redis = connect(await openServer());
  await expect(openRedisStore(redis, { prefix })).rejects.toThrow(TypeError);
});
