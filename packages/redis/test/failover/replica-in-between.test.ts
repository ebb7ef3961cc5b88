import type { RunEventStore } from "@tm/run-events-core/store";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { openRedisStore as openNext, type RedisClient } from "../../src/index.ts";
import { APPEND } from "../../src/scripts/append.ts";
import { COMMIT, COMMIT_SMALL } from "../../src/scripts/commit.ts";
import type { Script } from "../../src/scripts/script.ts";
import { claimRule } from "../../../core/src/rules/lease-rules.ts";
import { createRule, removalRule } from "../../../core/src/rules/run-rules.ts";
import { append, change } from "../single-calls.ts";
import { connect, openStore, runKeys } from "../opened.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  queryOf,
} from "@tm/run-events-test-servers/requests";
import { lead, openReplicated } from "./lagging-replica.ts";

const { head: HEAD, events: EVENTS } = runKeys("a");

const IN_DOUBT = {
  code: "store_unavailable",
  message: "The Redis is a read-only replica: connect to the master.",
  retryable: true,
  ambiguous: true,
};

/** A call that lands on the master, and its effect there. */
interface Call {
  readonly prepare?: (store: RunEventStore) => Promise<unknown>;
  /** The call's own script. */
  readonly script: Script;
  readonly send: (store: RunEventStore) => Promise<unknown>;
  readonly hasLanded: (master: Redis) => Promise<unknown>;
  /** The answer of the same call when the name leads to the master again. */
  readonly again: unknown;
}

const A = { runId: "a", ownerId: "ada" };
const claim = { ...A, leaseMs: 60_000, claimKey: "k" };

const CALLS: Readonly<Record<string, Call>> = {
  "an append": {
    script: APPEND,
    send: (store) => append(store, appendOf("a", 2, { idempotencyKey: "k" })),
    hasLanded: async (master) => (await master.xlen(EVENTS)) === 2,
    again: expect.objectContaining({ outcome: "replayed", lastSequence: 2 }),
  },
  "an end": {
    script: COMMIT,
    send: (store) => append(store, endOf("a", { idempotencyKey: "k" })),
    hasLanded: async (master) => (await master.xlen(EVENTS)) === 2,
    again: expect.objectContaining({ outcome: "replayed", lastSequence: 2 }),
  },
  "a claim": {
    script: COMMIT_SMALL,
    send: (store) => change(store, A, claimRule(claim)),
    hasLanded: async (master) => (await master.get(HEAD))?.includes('"keptClaim"'),
    again: { outcome: "granted", run: expect.objectContaining({ fence: expect.any(Number) }) },
  },
  "a deletion": {
    script: COMMIT_SMALL,
    prepare: (store) => append(store, endOf("a")),
    send: (store) => change(store, A, removalRule()),
    hasLanded: async (master) => (await master.exists(HEAD)) === 0,
    again: "not_found",
  },
  "a creation": {
    script: COMMIT,
    send: (store) => change(store, { ...A, runId: "b" }, createRule(createOf("b"))),
    hasLanded: async (master) => (await master.exists(runKeys("b").head)) === 1,
    again: { outcome: "existing", run: expect.objectContaining({ runId: "b" }) },
  },
};

it.each(Object.entries(CALLS))(
  "S7: %s that has landed is in doubt when a replica answers it",
  async (_, { prepare, script, send, hasLanded, again }) => {
    const { master, replica, name, eye, catchUp, lag } = await openReplicated();
    const redis = connect(name);
    const isArmed = { now: false };
    const store = await openNext(silenced(redis, script, () => isArmed.now && name.stallAnswers()));
    await useEachScript(store);
    await change(store, A, createRule(createOf("a")));
    await append(store, appendOf("a", 1));
    await prepare?.(store);
    await catchUp();
    lag();
    isArmed.now = true;
    const answer = send(store);
    answer.catch(() => {});
    await expect.poll(() => hasLanded(eye)).toBe(true);
    lead(name, replica);
    await expect(answer).rejects.toMatchObject(IN_DOUBT);
    isArmed.now = false;
    lead(name, master);
    expect(await send(store)).toEqual(again);
  },
);

it("S4, S10: a replica that lags judges nothing: what it has not received is no refusal", async () => {
  const { replica, master, name, catchUp, lag } = await openReplicated();
  const { store } = await openStore(name);
  const { store: other } = await openStore(master);
  await store.createRun(createOf("a"));
  await store.createRun(createOf("gone"));
  await store.append([endOf("gone")]);
  await catchUp();
  lag();
  await other.createRun(createOf("new"));
  const { fence } = await claimed(other, claimOf("a"));
  const worker = { by: "worker", fence } as const;
  await other.append([appendOf("a", 1, { appender: worker, idempotencyKey: "k" })]);
  lead(name, replica);
  const key = { expectedSequence: null, idempotencyKey: null };
  const renewal = { ...A, ...key, fence, leaseMs: 1_000, events: [] };
  const stale = { ...IN_DOUBT, ambiguous: expect.any(Boolean) };
  for (const call of [
    // Without core, which would send them again for a while.
    () => append(store.inner, appendOf("a", 2, { appender: worker })),
    () => append(store.inner, appendOf("a", 2)),
    () => append(store.inner, appendOf("a", 2, { appender: worker, expectedSequence: 1 })),
    () => append(store.inner, appendOf("new", 1)),
    () => store.claim({ runId: "new", leaseMs: 1_000 }),
    () => store.inner.append([renewal]),
    () => store.release({ ...A, fence }),
    () => store.createRun(createOf("gone")),
    () => store.deleteRun("new"),
    () => store.deleteRun("a"),
  ]) {
    await expect(call()).rejects.toMatchObject(stale);
  }
  lead(name, master);
  expect(
    await store.append([appendOf("a", 2, { appender: worker, expectedSequence: 1 })]),
  ).toMatchObject([{ outcome: "appended", lastSequence: 2 }]);
});

it("S10: a replica is not read, since it may not have what was acknowledged", async () => {
  const { replica, name, catchUp } = await openReplicated();
  const { store } = await openStore(name);
  await store.createRun(createOf("a"));
  await store.append([appendOf("a", 1)]);
  await catchUp();
  lead(name, replica);
  for (const call of [
    () => store.read([queryOf("a")]),
    () => store.read([queryOf("new")]),
    () => store.getRun("new"),
    () => store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 1 }),
    () => store.listDue({ due: "leased", forMs: 0, limit: 1 }),
    () => store.purge({ finishedForMs: 0, limit: 1 }),
    () => store.listRuns({ ownerId: "eve", runStatus: "running", before: null, limit: 1 }),
  ]) {
    await expect(call()).rejects.toMatchObject({ ...IN_DOUBT, ambiguous: false });
  }
});

/** So that the server knows the scripts: otherwise the call's own script is sent only after an answer. */
async function useEachScript(store: RunEventStore): Promise<void> {
  const other = { runId: "other", ownerId: "ada" };
  await change(store, other, createRule(createOf("other")));
  await change(store, other, claimRule({ ...other, leaseMs: 1_000 }));
  await append(store, endOf("other"));
}

/** A client whose answers are held back from the first sending of a script. */
function silenced(redis: Redis, script: Script, stall: () => unknown): RedisClient {
  return Object.assign(Object.create(redis) as Redis, {
    evalsha(sha1: string, count: number, values: string[]) {
      if (sha1 === script.sha1) stall();
      return redis.evalsha(sha1, count, values);
    },
  });
}
