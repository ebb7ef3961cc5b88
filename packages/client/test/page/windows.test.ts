import { expect, it, vi } from "vitest";
import { onFastClock, waitFor } from "../on-fast-clock.ts";
import { record, startRunsServer } from "../runs-server.ts";
import { append, has, openLive, SLOTS } from "./open-live.ts";
import {
  countHeld,
  openWindow,
  openWindows,
  stubBrowser,
  type TestWindow,
  type WindowRun,
} from "./open-window.ts";

it("W47, W48: a fifth window polls its runs and its list, and has one stream of all of them when a slot is free", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const [x, y] = [await record(server.runs, 1), await record(server.runs, 1)];
  await onFastClock(async () => {
    const windows = await openLive(server, x, 4);
    const fifth = openWindows(server.port, 1)[0] as TestWindow;
    const runs = [fifth.follow(x), fifth.follow(y)];
    const feed = fifth.followFeed();
    feed.want({ topic: null, last: false });
    const isAll = (state: string): boolean =>
      runs.every((run) => has(run, 1, state)) && feed.shared.connection.state === state;
    await waitFor(() => isAll("polling") && feed.shared.list.runs.size === 2);
    expect(server.handler.stats().streams.open).toBe(SLOTS);
    windows[0]?.[0].close();
    await waitFor(() => isAll("live"));
    expect(server.paths.at(-1)).toMatch(/\/stream\?runs=[^,]*,[^,]*&feed=live&have=/);
  });
});

it("a view that leaves while its window asks for a slot asks the server for nothing, and leaves no lock", async () => {
  stubBrowser();
  const { locks } = navigator;
  let asked = 0;
  const request = async (...args: Parameters<LockManager["request"]>): Promise<unknown> => {
    asked += 1;
    run.leave();
    return locks.request(...args);
  };
  vi.stubGlobal("navigator", { locks: { request } });
  let credentials = 0;
  const cookie = (): string => `a=${(credentials += 1)}`;
  const options = { userId: "ada", credential: { cookie }, baseUrl: "http://a.example" };
  const run = openWindow(options).follow("a");
  await expect.poll(() => asked).toBe(1);
  await expect.poll(async () => (await locks.query()).held).toEqual([]);
  expect(credentials).toBe(0);
});

it("a run that has ended leaves its slot to another window, and a new run takes one again", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const [x, y] = [await record(server.runs, 1), await record(server.runs, 1)];
  await onFastClock(async () => {
    const windows = await openLive(server, x, 4);
    const other = openWindows(server.port, 1)[0]?.follow(y) as WindowRun;
    await waitFor(() => has(other, 1, "polling"));
    await append(server, x, "RUN_COMPLETED");
    await waitFor(() => has(other, 1, "live"));
    const next = windows[0]?.[0].follow(y) as WindowRun;
    await waitFor(() => has(next, 1, "live"));
  });
});

it("with a token, a window with a slot has one poll that the server holds, that of its newest run", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const [x, y] = [await record(server.runs, 1), await record(server.runs, 1)];
  const requests = countHeld();
  const options = { baseUrl: `http://127.0.0.1:${server.port}`, userId: "ada" };
  const credential = { bearer: "ada" };
  await onFastClock(async () => {
    const windows = Array.from({ length: 5 }, () =>
      openWindow({ ...options, credential, fetch: requests.fetch }),
    );
    for (const window of windows) {
      const shown = [window.follow(x), window.follow(y)];
      const feed = window.followFeed();
      feed.want({ topic: null, last: false });
      await waitFor(() => shown.every((run) => has(run, 1, "polling")));
      await waitFor(
        () => feed.shared.list.runs.size === 2 && feed.shared.connection.state === "polling",
      );
    }
    await waitFor(() => requests.held === SLOTS);
    await append(server, x);
    await append(server, y);
    const held = server.paths.filter((path) => path.includes("wait=25"));
    expect(held.every((path) => path.includes(`${y}/events`))).toBe(true);
  });
});

it("a view that leaves while its window waits for a slot leaves no request and no lock", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const runId = await record(server.runs, 1);
  await onFastClock(async () => {
    const windows = await openLive(server, runId, 5);
    const [, fifth] = windows[4] as readonly [TestWindow, WindowRun];
    fifth.leave();
    for (const [window] of windows) window.close();
    await waitFor(() => server.handler.stats().streams.open === 0);
    const asked = server.paths.length;
    const closedAt = performance.now();
    await waitFor(() => performance.now() - closedAt > 30_000);
    expect(server.paths).toHaveLength(asked);
    expect(windows.some(([window]) => window.isWatched)).toBe(false);
  });
  expect(await navigator.locks.query()).toEqual({ held: [], pending: [] });
});
