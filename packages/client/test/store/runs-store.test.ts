import type { ServerResponse } from "node:http";
import { createRunsStore, type RunsOptions, type RunsView } from "@tm/run-events-client/store";
import { expect, it, onTestFinished, vi } from "vitest";
import { onFastClock } from "../on-fast-clock.ts";
import { record, type RunsServer, startRunsServer } from "../runs-server.ts";
import { snapshotOf } from "../feed/snapshot-of.ts";
import { frame, json, startScriptedServer, stream } from "../scripted-server.ts";
import { leaveNothing, type Watched, watchStore } from "./watch-store.ts";

leaveNothing();

function watch({ port }: RunsServer, options: RunsOptions = {}): Watched<RunsView> {
  const baseUrl = `http://127.0.0.1:${port}`;
  const credential = { cookie: "a=b" };
  return watchStore(createRunsStore({ userId: "ada", credential, ...options, baseUrl }));
}

function idsOf({ store }: Watched<RunsView>): readonly string[] {
  return store.getSnapshot().runs.map(({ runId }) => runId);
}

async function shows(
  list: Watched<RunsView>,
  ...ids: readonly (string | undefined)[]
): Promise<void> {
  await vi.waitFor(
    () => {
      expect(list.store.getSnapshot().isLoading).toBe(false);
      expect(idsOf(list)).toEqual(ids);
    },
    { timeout: 20_000 },
  );
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

/** A list of a server that answers by a script: the n-th stream, and the n-th list. */
async function watchScripted(
  streams: (response: ServerResponse, index: number) => void,
  lists: (response: ServerResponse, index: number) => void,
  options: RunsOptions = {},
): Promise<Watched<RunsView>> {
  let [streamed, listed] = [0, 0];
  const { baseUrl } = await startScriptedServer((response, _, { url }) => {
    if (url?.includes("/stream") === true) streams(response, streamed++);
    else lists(response, listed++);
  });
  const credential = { cookie: "a=b" };
  return watchStore(createRunsStore({ userId: "ada", credential, ...options, baseUrl }));
}

const STARTED = frame({ type: "feed_started", same: false });
const VERSION = frame({ type: "feed_version", version: "v", more: false });
const ENDED = snapshotOf(1, { runStatus: "completed", lastSequence: 2 });

it("W48: a list is read again when the feed has started over, because an end may be missing", async () => {
  let open: ServerResponse | undefined;
  const list = await watchScripted(
    (response) => {
      open = stream(response, STARTED, frame({ type: "run", run: snapshotOf(1) }), VERSION);
    },
    (response, index) =>
      json(response, 200, { runs: [index === 0 ? snapshotOf(1) : ENDED], nextCursor: null }),
  );
  await shows(list, "run-1");
  open?.write(STARTED + VERSION);
  await expect.poll(() => list.store.getSnapshot().runs[0]?.runStatus).toBe("completed");
});

it("W48: a run that is removed while the list is read is not in it in the end", async () => {
  let open: ServerResponse | undefined;
  let reading: ServerResponse | undefined;
  const other = snapshotOf(2, { runStatus: "failed" });
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, VERSION)),
    (response, index) => {
      if (index === 0) reading = response;
      else json(response, 200, { runs: [other], nextCursor: null });
    },
  );
  await expect.poll(() => reading).toBeDefined();
  open?.write(
    frame({ type: "run_gone", runId: "run-1" }) + frame({ type: "run", run: snapshotOf(3) }),
  );
  await expect.poll(() => idsOf(list)).toEqual(["run-3"]);
  if (reading !== undefined) json(reading, 200, { runs: [other, ENDED], nextCursor: null });
  await shows(list, "run-3", "run-2");
});

it("W48: of the runs that end while it shows them, a list keeps the newest 100, and reads the others from the list", async () => {
  let open: ServerResponse | undefined;
  const asked: (string | undefined)[] = [];
  const ended = (number: number): ReturnType<typeof snapshotOf> =>
    snapshotOf(number, { runStatus: "completed" });
  const newest = Array.from({ length: 50 }, (_, index) => ended(201 - index));
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, VERSION)),
    (response, index) => {
      asked.push(response.req.url?.split("?")[1]);
      if (index === 0) json(response, 200, { runs: [], nextCursor: null });
      else json(response, 200, { runs: newest, nextCursor: "more" });
    },
  );
  await shows(list);
  const ids = Array.from({ length: 201 }, (_, index) => `run-${index + 1}`).toReversed();
  for (let number = 1; number <= 200; number += 1)
    open?.write(frame({ type: "run", run: ended(number) }) + VERSION);
  await shows(list, ...ids.slice(1));
  open?.write(frame({ type: "run", run: ended(201) }) + VERSION);
  await shows(list, ...ids.slice(0, 100));
  expect(list.store.getSnapshot().hasMore).toBe(true);
  expect(asked).toEqual(["limit=50", "limit=50"]);
});

const [OTHER, GONE] = [
  snapshotOf(2, { runStatus: "failed" }),
  frame({ type: "run_gone", runId: "run-2" }),
];

function rowsOf({ store }: Watched<RunsView>): readonly string[] {
  return store.getSnapshot().runs.map(({ runId, runStatus }) => `${runId} ${runStatus}`);
}

function runFrames(...runs: readonly ReturnType<typeof snapshotOf>[]): string {
  return runs.map((run) => frame({ type: "run", run })).join("");
}

/** Runs that have ended, from the newest on. */
function endedRuns(newest: number, count: number): ReturnType<typeof snapshotOf>[] {
  return Array.from({ length: count }, (_, index) =>
    snapshotOf(newest - index, { runStatus: "completed" }),
  );
}

it("W48: while the list is read, what the feed sends is shown, and what has ended stays", async () => {
  let open: ServerResponse | undefined;
  const held: ServerResponse[] = [];
  const live = snapshotOf(3);
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(OTHER, live), VERSION)),
    (response, index) => {
      if (index > 0) held.push(response);
      else json(response, 200, { runs: [live, OTHER, ENDED], nextCursor: null });
    },
  );
  await shows(list, "run-3", "run-2", "run-1");
  open?.write(GONE + VERSION);
  await expect.poll(() => held.length).toBe(1);
  open?.write(runFrames(snapshotOf(3, { runStatus: "failed" }), snapshotOf(4)) + VERSION);
  const rows = ["run-4 running", "run-3 failed", "run-2 failed", "run-1 completed"];
  await expect.poll(() => rowsOf(list)).toEqual(rows);
  const [reading] = held;
  if (reading !== undefined) json(reading, 200, { runs: [live, ENDED], nextCursor: null });
  await shows(list, "run-4", "run-3", "run-1");
});

it("W48: a list with `initial` shows what the feed sends, though the list cannot be read", async () => {
  const list = await watchScripted(
    (response) =>
      stream(
        response,
        STARTED,
        runFrames(snapshotOf(3, { runStatus: "failed" }), snapshotOf(4)),
        VERSION,
      ),
    (response) => json(response, 503, { code: "store_unavailable" }),
    { initial: { runs: [snapshotOf(3), ENDED] } },
  );
  await expect
    .poll(() => rowsOf(list))
    .toEqual(["run-4 running", "run-3 failed", "run-1 completed"]);
});

it("W48: a live run that is removed is not a reason to read the list again", async () => {
  let open: ServerResponse | undefined;
  let asked = 0;
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(snapshotOf(2)), VERSION)),
    (response, index) => {
      asked = index + 1;
      json(response, 200, { runs: [snapshotOf(2), ENDED], nextCursor: null });
    },
  );
  await shows(list, "run-2", "run-1");
  open?.write(GONE + VERSION);
  await shows(list, "run-1");
  open?.write(runFrames(snapshotOf(3)) + VERSION);
  await shows(list, "run-3", "run-1");
  expect(asked).toBe(1);
});

it("W14: `loadMore` does not wait for a read of the list that gets no answer, and that read drops none of its runs", async () => {
  let open: ServerResponse | undefined;
  const held: ServerResponse[] = [];
  const asked: (string | undefined)[] = [];
  const all = endedRuns(200, 150);
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(OTHER), VERSION)),
    (response, index) => {
      asked.push(response.req.url?.split("?")[1]);
      const count = Number(asked.at(-1)?.split("=")[1]);
      if (index === 1) held.push(response);
      else json(response, 200, { runs: all.slice(0, count), nextCursor: "more" });
    },
  );
  const ids = all.map(({ runId }) => runId);
  await shows(list, ...ids.slice(0, 50), "run-2");
  open?.write(GONE + VERSION);
  await expect.poll(() => held.length).toBe(1);
  await list.store.getSnapshot().loadMore();
  await shows(list, ...ids.slice(0, 101));
  const [reading] = held;
  if (reading !== undefined) json(reading, 200, { runs: all.slice(0, 50), nextCursor: "more" });
  await expect.poll(() => asked).toEqual(["limit=50", "limit=50", "limit=101", "limit=101"]);
  await shows(list, ...ids.slice(0, 101));
});
it("W14: `loadMore` reads 50 older runs, though newer ones have come meanwhile", async () => {
  let open: ServerResponse | undefined;
  const asked: (string | undefined)[] = [];
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, VERSION)),
    (response) => {
      asked.push(response.req.url?.split("?")[1]);
      const runs = asked.length === 1 ? endedRuns(200, 50) : endedRuns(270, 170);
      json(response, 200, { runs, nextCursor: "more" });
    },
  );
  await expect.poll(() => idsOf(list).length).toBe(50);
  open?.write(runFrames(...endedRuns(270, 70).toReversed()) + VERSION);
  await expect.poll(() => idsOf(list).length).toBe(120);
  await list.store.getSnapshot().loadMore();
  expect(asked).toEqual(["limit=50", "limit=170"]);
  expect(idsOf(list)).toEqual(endedRuns(270, 170).map(({ runId }) => runId));
});

it("W14: `loadMore` fails after ten seconds while the list cannot be read, and shows why", async () => {
  let open: ServerResponse | undefined;
  const newest = endedRuns(200, 49);
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(OTHER), VERSION)),
    (response, index) => {
      if (index > 0) json(response, 503, { code: "store_unavailable" });
      else json(response, 200, { runs: [...newest, OTHER], nextCursor: "more" });
    },
  );
  const ids = [...newest, OTHER].map(({ runId }) => runId);
  await shows(list, ...ids);
  open?.write(GONE + VERSION);
  await expect.poll(() => list.store.getSnapshot().state).toBe("paused");
  const tookMs = await onFastClock(async () => {
    const startedAt = performance.now();
    await list.store.getSnapshot().loadMore();
    return performance.now() - startedAt;
  });
  expect(tookMs).toBeLessThan(15_000);
  const loadError: unknown = expect.objectContaining({ code: "store_unavailable" });
  const view = list.store.getSnapshot();
  expect(view).toMatchObject({ isLoadingMore: false, loadError, hasMore: true });
  expect(idsOf(list)).toEqual(ids);
});

it("W48: a list is read again if the feed started over while `loadMore` read it, because its answer may be older", async () => {
  let open: ServerResponse | undefined;
  const held: ServerResponse[] = [];
  const newest = endedRuns(200, 49);
  let asked = 0;
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(snapshotOf(2)), VERSION)),
    (response, index) => {
      asked = index + 1;
      const runs = [...newest, index === 0 ? snapshotOf(2) : OTHER];
      if (index === 1) held.push(response);
      else json(response, 200, { runs, nextCursor: index === 0 ? "more" : null });
    },
  );
  await expect.poll(() => rowsOf(list).at(-1)).toBe("run-2 running");
  const loading = list.store.getSnapshot().loadMore();
  await expect.poll(() => held.length).toBe(1);
  // The run ended a while ago: the feed does not have it.
  open?.write(STARTED + VERSION);
  await expect.poll(() => rowsOf(list).at(-1)).toBe("run-2 failed");
  const [reading] = held;
  const older = [...newest, snapshotOf(2), ENDED];
  if (reading !== undefined) json(reading, 200, { runs: older, nextCursor: null });
  await loading;
  await expect.poll(() => rowsOf(list).at(-1)).toBe("run-2 failed");
  expect(asked).toBe(4);
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
