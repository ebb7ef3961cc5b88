import type { AppendRequest, LiveStatus, RunEventStore } from "@tm/run-events-core/store";
import {
  appendOf,
  by,
  claimed,
  claimOf,
  createOf,
  endOf,
  oneTo,
} from "@tm/run-events-test-servers/requests";
import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { SETUPS } from "./clients.ts";
import { useServers } from "./use-servers.ts";

const HOUR_MS = 3_600_000;
const DAY_MICROS = 24 * HOUR_MS * 1_000;
const LIVE = ["queued", "running", "waiting"] as const;

async function entriesOf(redis: Redis, prefix: string): Promise<Record<LiveStatus, string[]>> {
  const [queued, running, waiting] = await Promise.all(
    LIVE.map((status) => redis.zrange(`${prefix}:idle:${status}`, "0", "-1")),
  );
  return { queued: queued ?? [], running: running ?? [], waiting: waiting ?? [] };
}

function listIdle(
  store: RunEventStore,
  runStatus: LiveStatus,
  idleForMs = 0,
  limit = 100,
): Promise<readonly string[]> {
  return store.listIdle({ runStatus, idleForMs, limit });
}

/** The requests that bring a queued run from status to status, up to its end. */
function stepsOf(runId: string): readonly (readonly [LiveStatus | null, AppendRequest])[] {
  const ask = { eventType: "INPUT_REQUESTED", payload: "null", phase: null };
  const answer = { eventType: "INPUT_RECEIVED", payload: "1", phase: null };
  return [
    ["running", appendOf(runId)],
    ["running", appendOf(runId)],
    ["waiting", appendOf(runId, null, { events: [ask], change: "waiting" })],
    [
      "running",
      appendOf(runId, null, { events: [answer], change: "answered", appender: { by: "input" } }),
    ],
    [null, endOf(runId)],
  ];
}

/** Makes runs that are idle for an hour each, the first for a minute longer than the second, and so on. */
async function makeIdle(redis: Redis, prefix: string, runIds: readonly string[]): Promise<void> {
  for (const [at, runId] of runIds.entries()) {
    const ms = -HOUR_MS - (runIds.length - at) * 60_000;
    for (const time of ["createdAtMs", "updatedAtMs"]) {
      await redis.hincrby(`${prefix}:{run:${runId}}:head`, time, ms);
    }
  }
  for (const status of LIVE) {
    for (const member of await redis.zrange(`${prefix}:idle:${status}`, "0", "-1")) {
      await redis.zadd(`${prefix}:idle:${status}`, "XX", "INCR", -100 * HOUR_MS, member);
    }
  }
}

describe.each(SETUPS)("the indexes of idle runs on $name", (setup) => {
  const openFresh = useServers(setup);

  it("S28: a run has one entry, in the index of its status, and none when it has ended or was removed", async () => {
    const { prefix, redis, store } = await openFresh();
    const isOne = (status: LiveStatus | null) =>
      Object.fromEntries(
        LIVE.map((one) => [one, one === status ? [expect.stringMatching(/^\d+\/\d+:r$/)] : []]),
      );
    await store.createRun(createOf("r"));
    await store.createRun(createOf("r"));
    expect(await entriesOf(redis, prefix)).toEqual(isOne("queued"));
    const marks = new Set<string>();
    for (const [status, request] of stepsOf("r")) {
      await store.append([request]);
      await expect.poll(() => entriesOf(redis, prefix)).toEqual(isOne(status));
      for (const one of Object.values(await entriesOf(redis, prefix)).flat()) marks.add(one);
    }
    // Each visit to a status has an entry of its own: the late removal of one takes no other away.
    expect(marks.size).toBe(3);
    expect(await store.deleteRun("r", null)).toBe("deleted");
    await store.createRun(createOf("r"));
    const [entry] = (await entriesOf(redis, prefix)).queued;
    expect(entry).toBe(`${(await store.getRun("r"))?.ordinal}/0:r`);
    for (const status of LIVE) {
      expect(await listIdle(store, status)).toEqual(status === "queued" ? ["r"] : []);
    }
  });

  it("S28: neither appends nor leases touch an entry; a list moves it to its time, and finds it again", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("r"));
    await store.append([appendOf("r")]);
    await expect.poll(async () => (await entriesOf(redis, prefix)).queued).toEqual([]);
    const [entry = ""] = (await entriesOf(redis, prefix)).running;
    const score = (): Promise<string | null> => redis.zscore(`${prefix}:idle:running`, entry);
    const before = await score();
    const { fence } = await claimed(store, claimOf("r"));
    await store.append([appendOf("r", 2, by(fence))]);
    await store.renew({ ...claimOf("r"), fence });
    expect(await score()).toBe(before);
    expect(await listIdle(store, "running")).toEqual([]);
    await store.release({ runId: "r", ownerId: null, fence });
    await expect.poll(() => listIdle(store, "running")).toEqual(["r"]);
    const { idleFromMs = 0 } = (await store.getRun("r")) ?? {};
    expect(Number(await score())).toBe(idleFromMs);
    expect(await listIdle(store, "running", HOUR_MS)).toEqual([]);
  });

  it("S28: runs are found by how long they are idle, with any entries before them in the index", async () => {
    const { prefix, redis, store } = await openFresh();
    const runIds = oneTo(70).map((number) => `run-${number}`);
    for (const runId of [...runIds, "other"]) await store.createRun(createOf(runId));
    await store.append([...runIds, "other"].map((runId) => appendOf(runId)));
    await store.append([stepsOf("other")[2]?.[1] ?? appendOf("other")]);
    await expect.poll(async () => (await entriesOf(redis, prefix)).running).toHaveLength(70);
    await makeIdle(redis, prefix, runIds);
    const index = `${prefix}:idle:running`;
    const other = (await store.getRun("other"))?.ordinal ?? 0;
    const ghosts: string[] = [];
    for (const at of oneTo(120)) {
      // Of processes that died before they had created a run, of runs that were removed, and of a run that has left the status.
      const long = other - (at % 3 === 0 ? 0 : 2 * DAY_MICROS);
      ghosts.push(`${long - at}/0:ghost-${at}`, `${other - at}/1:run-${at}`);
    }
    ghosts.push(`${other}/0:other`);
    for (const [at, member] of ghosts.entries()) await redis.zadd(index, at, member);
    expect(await listIdle(store, "running", HOUR_MS, 1)).toEqual(runIds.slice(0, 1));
    expect(await listIdle(store, "running", HOUR_MS, 60)).toEqual(runIds.slice(0, 60));
    expect(await listIdle(store, "running", HOUR_MS)).toEqual(runIds);
    expect(await listIdle(store, "running", 200 * HOUR_MS)).toEqual([]);
    // Those that can never be right again are removed. A run of the others may still be created.
    const left = await redis.zrange(index, "0", "-1");
    expect(left).not.toContain(`${other}/0:other`);
    expect(left.some((member) => member.startsWith(`${other - 2 * DAY_MICROS - 1}/`))).toBe(false);
  });

  it("S28: the entry of a process that died before its append is of no use until the run comes to the status", async () => {
    const { prefix, redis, store } = await openFresh();
    await store.createRun(createOf("r"));
    const { ordinal, createdAtMs } = (await store.getRun("r")) ?? {};
    await redis.zadd(`${prefix}:idle:running`, createdAtMs ?? 0, `${ordinal}/0:r`);
    expect(await listIdle(store, "running")).toEqual([]);
    expect(await listIdle(store, "queued")).toEqual(["r"]);
    await store.append([appendOf("r")]);
    expect(await listIdle(store, "running")).toEqual(["r"]);
    expect(await listIdle(store, "queued")).toEqual([]);
    await store.append([endOf("r")]);
    await store.deleteRun("r", null);
    // As if the removals had been lost with their process.
    for (const status of LIVE) {
      await redis.zadd(`${prefix}:idle:${status}`, 1, `${ordinal}/0:r`);
      expect(await listIdle(store, status)).toEqual([]);
    }
  });
});
