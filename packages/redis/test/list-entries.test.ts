import type { RunStatus } from "@tm/run-events-core";
import { isListed, STATUSES } from "@tm/run-events-core/store";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { openRedisStore, type RedisStore } from "../src/index.ts";
import { connect, openProxy, openServer, openStore } from "./opened.ts";
import { appendOf, createOf, endOf, listIds, oneTo } from "@tm/run-events-test-servers/requests";

const DAY_MICROS = 24 * 60 * 60 * 1_000_000;

function entriesOf(redis: Redis, status: RunStatus, list = ""): Promise<string[]> {
  return redis.zrange(`run-events:{owner:ada}${list}:${status}`, "0", "-1");
}

async function makeEntry(
  redis: Redis,
  status: RunStatus,
  ordinal: number,
  runId: string,
  list = "",
): Promise<void> {
  await redis.zadd(`run-events:{owner:ada}${list}:${status}`, ordinal, `${ordinal}:${runId}`);
}

async function nowMicros(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000_000 + Number(micros);
}

it("S12: a list has one entry a run, under its status, and none of a deleted run", async () => {
  const { redis, store } = await openStore(await openServer());
  for (const runId of ["a", "b", "c"]) await store.createRun(createOf(runId));
  await store.createRun(createOf("a"));
  await store.createRun({ ...createOf("b"), ownerId: "bob" });
  await store.append([appendOf("a"), appendOf("b"), endOf("b")]);
  await store.append([endOf("a", { expectedSequence: 9 })]);
  await store.append([appendOf("a")]);
  await expect
    .poll(() => Promise.all(STATUSES.map((status) => entriesOf(redis, status))))
    .toMatchObject(
      [[/:c$/], [/:a$/], [], [/:b$/], [], []].map((members) =>
        members.map((member) => expect.stringMatching(member)),
      ),
    );
  await store.append([endOf("a"), endOf("c")]);
  for (const runId of ["a", "b", "c"]) expect(await store.deleteRun(runId, null)).toBe("deleted");
  await expect.poll(async () => (await redis.keys("*")).toSorted()).toEqual(["run-events:ordinal"]);
});

it("S25: the list of a topic has one entry a run, under its status, and none of a deleted run", async () => {
  const { redis, store } = await openStore(await openServer());
  const topic = "a:b}";
  const list = ":topic=a%3Ab%7D";
  for (const runId of ["a", "b", "c"]) await store.createRun({ ...createOf(runId), topic });
  await store.createRun(createOf("none"));
  await store.append([appendOf("a"), appendOf("none"), endOf("b")]);
  await expect
    .poll(() => Promise.all(STATUSES.map((status) => entriesOf(redis, status, list))))
    .toMatchObject(
      [[/:c$/], [/:a$/], [], [/:b$/], [], []].map((members) =>
        members.map((member) => expect.stringMatching(member)),
      ),
    );
  await store.append([endOf("a"), endOf("c"), endOf("none")]);
  expect(await store.purge({ finishedForMs: 0, limit: 2 })).toHaveLength(2);
  const left = (
    await store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 9 })
  ).map(({ runId }) => runId);
  for (const runId of left) expect(await store.deleteRun(runId, null)).toBe("deleted");
  await expect.poll(async () => (await redis.keys("*")).toSorted()).toEqual(["run-events:ordinal"]);
});

it("S25: the list of a topic hides an entry that is not right, and removes one that can never be right again", async () => {
  const { redis, store } = await openStore(await openServer());
  const topic = "tea";
  const list = ":topic=tea";
  await store.createRun({ ...createOf("a"), topic });
  await store.createRun({ ...createOf("b"), topic });
  await store.createRun({ ...createOf("other"), topic: "coffee" });
  await store.append([appendOf("a"), endOf("b")]);
  const ordinalOf = async (runId: string): Promise<number> =>
    (await store.getRun(runId))?.ordinal ?? 0;
  const now = await nowMicros(redis);
  await makeEntry(redis, "queued", await ordinalOf("a"), "a", list);
  await makeEntry(redis, "running", await ordinalOf("b"), "b", list);
  await makeEntry(redis, "queued", now - DAY_MICROS - 10_000_000, "ghost", list);
  await makeEntry(redis, "queued", now - DAY_MICROS + 10_000_000, "young", list);
  // No program writes this one: the run's own topic decides.
  await makeEntry(redis, "queued", await ordinalOf("other"), "other", list);
  expect(await listIds(store, null, topic)).toEqual(["b", "a"]);
  expect(await listIds(store, "live", topic)).toEqual(["a"]);
  await expect
    .poll(() => Promise.all(STATUSES.map((status) => entriesOf(redis, status, list))))
    .toMatchObject(
      [[/:young$/, /:other$/], [/:a$/], [], [/:b$/], [], []].map((members) =>
        members.map((member) => expect.stringMatching(member)),
      ),
    );
});

it("W14: a process that died between entry and run leaves an entry that no list shows", async () => {
  const { redis, store } = await openStore(await openServer());
  await store.createRun(createOf("a"));
  const now = await nowMicros(redis);
  // It died before the run was created, before its status changed, and before another run was created under the same id.
  await makeEntry(redis, "queued", now + 1, "ghost");
  await makeEntry(redis, "queued", now + 2, "a");
  await makeEntry(redis, "running", (await store.getRun("a"))?.ordinal ?? 0, "a");
  expect(await listIds(store)).toEqual(["a"]);
  expect(await listIds(store, "queued")).toEqual(["a"]);
  expect(await listIds(store, "running")).toEqual([]);
  // All of them may still become right, so they stay.
  await redis.ping();
  expect(await entriesOf(redis, "queued")).toHaveLength(3);
  expect(await entriesOf(redis, "running")).toHaveLength(1);
  await store.append([appendOf("a")]);
  expect(await listIds(store, "running")).toEqual(["a"]);
});

it("S12: a listing removes entries that can never be right again", async () => {
  const { redis, store } = await openStore(await openServer());
  await store.createRun(createOf("a"));
  await store.createRun(createOf("b"));
  await store.append([appendOf("a"), endOf("b")]);
  const [a, b] = [await store.getRun("a"), await store.getRun("b")];
  const now = await nowMicros(redis);
  await makeEntry(redis, "queued", a?.ordinal ?? 0, "a");
  await makeEntry(redis, "running", b?.ordinal ?? 0, "b");
  await makeEntry(redis, "failed", b?.ordinal ?? 0, "b");
  await makeEntry(redis, "queued", now - DAY_MICROS - 10_000_000, "ghost");
  await makeEntry(redis, "queued", now - DAY_MICROS + 10_000_000, "young");
  await makeEntry(redis, "completed", now - DAY_MICROS - 10_000_000, "a");
  expect(await listIds(store)).toEqual(["b", "a"]);
  await expect
    .poll(() => Promise.all(STATUSES.map((status) => entriesOf(redis, status))))
    .toMatchObject(
      [[/:young$/], [/:a$/], [], [/:b$/], [], []].map((members) =>
        members.map((member) => expect.stringMatching(member)),
      ),
    );
});

it("W14: pages stay whole among entries that no list shows", async () => {
  const { redis, store } = await openStore(await openServer());
  for (const number of oneTo(25)) {
    await store.createRun(createOf(`run-${number}`));
    const { ordinal = 0 } = (await store.getRun(`run-${number}`)) ?? {};
    await makeEntry(redis, "running", ordinal, `run-${number}`);
    // Between this run and the one before, whose ordinal is a round trip away: an ordinal is used once.
    for (const ghost of oneTo(3))
      await makeEntry(redis, "queued", ordinal - ghost, `ghost-${number}-${ghost}`);
  }
  for (const limit of [1, 2, 7, 25, 26]) {
    for (const runStatus of [null, "queued"] as const) {
      const seen: string[] = [];
      let before: number | null = null;
      for (;;) {
        const page = await store.listRuns({ ownerId: "ada", runStatus, before, limit });
        seen.push(...page.map(({ runId }) => runId));
        before = page.at(-1)?.ordinal ?? null;
        if (page.length < limit) break;
      }
      expect(seen).toEqual(oneTo(25).map((number) => `run-${26 - number}`));
    }
  }
});

it("W14, S25: every run is in its lists, however often connections break", async () => {
  const server = await openServer();
  const proxy = await openProxy(server);
  const { store } = await openStore(server);
  const runIds = oneTo(12).map((number) => `run-${number}`);
  let isBusy = true;
  const workers = oneTo(4).map(async (worker) => {
    const shaky = await openShaky(proxy);
    for (let round = worker; isBusy; round++) {
      const runId = runIds[round % runIds.length] ?? "";
      const topic = [null, "tea", "coffee"][Math.floor(Math.random() * 3)] ?? null;
      const work = [
        () => shaky.createRun({ ...createOf(runId), topic }),
        () => shaky.append([appendOf(runId)]),
        () => shaky.append([appendOf(runId), endOf(runId)]),
        () => shaky.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 5 }),
        () => shaky.deleteRun(runId, null),
      ];
      // The test is about what a broken connection leaves undone.
      await work[Math.floor(Math.random() * work.length)]?.().catch(() => {});
    }
    await shaky.close();
  });
  const eye = connect(server);
  for (const _ of oneTo(40)) {
    const commands = async (): Promise<number> =>
      Number(/total_commands_processed:(\d+)/.exec(await eye.info("stats"))?.[1]);
    const before = await commands();
    await expect.poll(commands, { interval: 1 }).toBeGreaterThan(before + 60);
    proxy.cut();
  }
  isBusy = false;
  await Promise.all(workers);
  const heads = await Promise.all(runIds.map((runId) => store.getRun(runId)));
  const there = heads.filter((head) => head !== null);
  const newestFirst = there.toSorted((a, b) => b.ordinal - a.ordinal);
  expect(await listIds(store)).toEqual(newestFirst.map(({ runId }) => runId));
  for (const topic of [null, "tea", "coffee"]) {
    for (const runStatus of [null, "live", ...STATUSES] as const) {
      const expected = newestFirst.filter((run) => isListed(run, { runStatus, topic }));
      expect(await listIds(store, runStatus, topic)).toEqual(expected.map(({ runId }) => runId));
    }
  }
});

/** A store whose client gives up at once: commands in flight when the connection breaks are in doubt. */
async function openShaky(to: {
  readonly host: string;
  readonly port: number;
}): Promise<RedisStore> {
  for (;;) {
    try {
      return await openRedisStore(connect(to, { maxRetriesPerRequest: 0 }));
    } catch {
      // The connection broke while it was being opened.
    }
  }
}
