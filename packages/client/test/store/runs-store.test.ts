import { createRunsStore, type RunsOptions, type RunsView } from "@tm/run-events-client/store";
import { expect, it, onTestFinished, vi } from "vitest";
import { record, type RunsServer, startRunsServer } from "../runs-server.ts";
import { idsOf, shows } from "./watch-scripted.ts";
import { leaveNothing, type Watched, watchStore } from "./watch-store.ts";

leaveNothing();

function watch({ port }: RunsServer, options: RunsOptions = {}): Watched<RunsView> {
  const baseUrl = `http://127.0.0.1:${port}`;
  const credential = { cookie: "a=b" };
  return watchStore(createRunsStore({ userId: "ada", credential, ...options, baseUrl }));
}

async function recordMany(
  server: RunsServer,
  count: number,
  ...types: readonly string[]
): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1)
    ids.unshift(await record(server.runs, 1, ...types));
  return ids;
}

it("W48: a list shows every run, newest first, and each change of it", async () => {
  const server = await startRunsServer();
  const ended = await record(server.runs, 1, "RUN_COMPLETED");
  const live = await record(server.runs, 1);
  const list = watch(server);
  expect(list.seen[0]).toMatchObject({ state: "connecting", runs: [], isLoading: true });
  await shows(list, live, ended);
  const created = await record(server.runs, 2);
  await shows(list, created, live, ended);
  await server.runs.as("ada").append(live, [{ eventType: "RUN_FAILED" }]);
  await expect
    .poll(() => list.store.getSnapshot().runs.map(({ runStatus }) => runStatus))
    .toEqual(["running", "failed", "completed"]);
  await server.runs.as("ada").delete(ended);
  await shows(list, created, live);
  expect(list.store.getSnapshot()).toMatchObject({ state: "live", error: null, hasMore: false });
  const paths = (): unknown => server.paths.map((path) => path.split("/agent-runs")[1]);
  // The second read says that the run is gone, and not only too old for the feed.
  await expect.poll(paths).toEqual(["/stream?feed=live", "?limit=50", "?limit=50"]);
});

it("W48: a run and a list stay the same objects while nothing in them has changed", async () => {
  const server = await startRunsServer();
  const [first, second] = await recordMany(server, 2);
  const list = watch(server);
  await shows(list, first, second);
  const before = list.store.getSnapshot();
  expect(list.store.getSnapshot()).toBe(before);
  await server.runs.as("ada").append(second ?? "", [{ eventType: "TOKEN" }]);
  await expect.poll(() => list.store.getSnapshot().runs[1]?.lastSequence).toBe(2);
  const after = list.store.getSnapshot();
  expect(after.runs[0]).toBe(before.runs[0]);
  expect(after.runs[1]).not.toBe(before.runs[1]);
  // No call of the listener without a change.
  const different = new Set(list.seen);
  expect(different.size).toBe(list.seen.length);
});

it.each([
  ["live", ["waiting", "running"]],
  ["waiting", ["waiting"]],
  ["failed", ["failed"]],
  ["completed", ["completed"]],
] as const)(
  "W48: a list of the status %s has runs while they are in it",
  async (status, wanted) => {
    const server = await startRunsServer();
    await record(server.runs, 1, "RUN_COMPLETED");
    await record(server.runs, 1, "RUN_FAILED");
    const running = await record(server.runs, 1);
    await record(server.runs, 1, "INPUT_REQUESTED");
    const list = watch(server, { status, last: true });
    const statuses = (): readonly string[] =>
      list.store.getSnapshot().runs.map(({ runStatus }) => runStatus);
    await expect.poll(statuses).toEqual(wanted);
    await server.runs.as("ada").append(running, [{ eventType: "RUN_FAILED" }]);
    const count = wanted.filter((one) => one !== "running").length;
    await expect.poll(() => statuses().length).toBe(status === "failed" ? count + 1 : count);
    if (status === "waiting")
      expect(list.store.getSnapshot().runs[0]?.last?.eventType).toBe("INPUT_REQUESTED");
  },
);

it("W34, W48: lists of different topics in a page share one feed, and each has its own runs", async () => {
  const server = await startRunsServer();
  const create = async (topic: string): Promise<string> =>
    (await server.runs.create({ ownerId: "ada", topic })).runId;
  const [a, b, c] = [await create("a"), await create("b"), await create("c")];
  const lists = [
    watch(server, { topic: "a" }),
    watch(server, { topic: "b" }),
    watch(server),
  ] as const;
  await shows(lists[0], a);
  await shows(lists[1], b);
  await shows(lists[2], c, b, a);
  const next = await create("b");
  await shows(lists[1], next, b);
  await shows(lists[0], a);
  expect(server.handler.stats().streams.open).toBe(1);
});

it("W14: `loadMore` reads older runs, those that are removed meanwhile are left out, and the list has an end", async () => {
  const server = await startRunsServer();
  const ids = await recordMany(server, 120, "RUN_COMPLETED");
  const list = watch(server);
  await shows(list, ...ids.slice(0, 50));
  expect(list.store.getSnapshot().hasMore).toBe(true);
  const { loadMore } = list.store.getSnapshot();
  const loading = Promise.all([loadMore(), loadMore()]);
  expect(list.store.getSnapshot().isLoadingMore).toBe(true);
  await loading;
  await shows(list, ...ids.slice(0, 100));
  await server.runs.as("ada").delete(ids[20] ?? "");
  await server.runs.as("ada").delete(ids[110] ?? "");
  await list.store.getSnapshot().loadMore();
  const left = ids.filter((_, index) => index !== 20 && index !== 110);
  await shows(list, ...left);
  expect(list.store.getSnapshot()).toMatchObject({ hasMore: false, isLoadingMore: false });
});

it("W48: a list that is taken up again after others ended runs has them, and one that stays loses none", async () => {
  const server = await startRunsServer();
  const ids = await recordMany(server, 3);
  const store = createRunsStore({
    baseUrl: `http://127.0.0.1:${server.port}`,
    credential: { cookie: "a=b" },
    userId: "ada",
  });
  const leave = store.subscribe(() => {});
  const list = { store, seen: [], leave };
  await shows(list, ...ids);
  leave();
  await expect.poll(() => server.handler.stats().streams.open).toBe(0);
  for (const runId of ids)
    await server.runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
  const [newest] = await recordMany(server, 1);
  onTestFinished(store.subscribe(() => {}));
  // The old runs stay until it has read the new ones.
  expect(idsOf(list)).toEqual(ids);
  await shows(list, newest, ...ids);
  expect(store.getSnapshot().runs.map(({ runStatus }) => runStatus)).toEqual([
    "running",
    "completed",
    "completed",
    "completed",
  ]);
});

it("a list without a session fails, and shows why", async () => {
  const server = await startRunsServer({ authenticate: () => null });
  const list = watch(server);
  await vi.waitFor(() =>
    expect(list.store.getSnapshot()).toMatchObject({
      state: "failed",
      error: { code: "unauthenticated" },
      isLoading: true,
    }),
  );
});

it("W48: with a token a list is polled, and two lists share the polls", async () => {
  const server = await startRunsServer();
  const ids = await recordMany(server, 2);
  const credential = { bearer: "t" };
  const [one, other] = [
    watch(server, { credential }),
    watch(server, { credential, status: "live" }),
  ];
  await shows(one, ...ids);
  await shows(other, ...ids);
  const [created] = await recordMany(server, 1);
  await shows(one, created, ...ids);
  await shows(other, created, ...ids);
  expect(one.store.getSnapshot().state).toBe("polling");
  expect(server.paths.some((path) => path.includes("/stream"))).toBe(false);
});

it.each(["", "a\0b", "x".repeat(201), "\ud800"])(
  "W34, W47: a list of the topic %j fails alone, and the others on the connection go on",
  async (topic) => {
    const server = await startRunsServer();
    const runId = await record(server.runs, 1);
    const good = watch(server);
    await shows(good, runId);
    const bad = watch(server, { topic });
    expect(bad.store.getSnapshot()).toMatchObject({
      state: "failed",
      error: { code: "invalid_request" },
      runs: [],
      isLoading: false,
    });
    await server.runs.as("ada").append(runId, [{ eventType: "TOKEN" }]);
    await expect.poll(() => good.store.getSnapshot().runs[0]?.lastSequence).toBe(2);
    await shows(watch(server, { status: "live" }), runId);
    expect(server.handler.stats().streams).toMatchObject({ open: 1, opened: 1 });
  },
);
