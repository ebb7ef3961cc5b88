import { expect, it } from "vitest";
import { onFastClock, waitFor } from "../on-fast-clock.ts";
import { record, startRunsServer } from "../runs-server.ts";
import { append, has, openLive } from "./open-live.ts";
import {
  COOKIE,
  isInOrder,
  openWindow,
  openWindows,
  stubBrowser,
  type TestWindow,
  type WindowRun,
} from "./open-window.ts";

it.each(["hidden", "left"] as const)(
  "a window that is %s gives its slot up, is paused, and catches up when it is seen",
  async (presence) => {
    stubBrowser();
    const server = await startRunsServer();
    const runId = await record(server.runs, 1);
    await onFastClock(async () => {
      const windows = await openLive(server, runId, 5);
      const [[first, one], , , , [, fifth]] = windows as unknown as readonly [
        readonly [TestWindow, WindowRun],
        unknown,
        unknown,
        unknown,
        readonly [TestWindow, WindowRun],
      ];
      const hiddenAt = performance.now();
      first.turn(presence);
      await waitFor(() => has(one, 1, "paused"));
      const tookMs = performance.now() - hiddenAt;
      if (presence === "hidden") expect(tookMs).toBeGreaterThanOrEqual(10_000);
      else expect(tookMs).toBeLessThan(1_000);
      await waitFor(() => has(fifth, 1, "live"));
      await append(server, runId);
      await waitFor(() => has(fifth, 2, "live"));
      const asked = server.paths.length;
      expect(one.shared.cursor).toBe(1);
      first.turn("visible");
      // The slot has another owner now.
      await waitFor(() => has(one, 2, "polling"));
      expect(server.paths[asked]).toContain(`${runId}/events?since=1&at=`);
      expect([one, fifth].every(({ views }) => views.every(isInOrder))).toBe(true);
    });
  },
);

it("a window that is hidden for less than 10 s keeps its stream", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const runId = await record(server.runs, 1);
  await onFastClock(async () => {
    const [[window, run]] = (await openLive(server, runId, 1)) as [[TestWindow, WindowRun]];
    for (const _ of [1, 2, 3]) {
      window.turn("hidden");
      const hiddenAt = performance.now();
      await waitFor(() => performance.now() - hiddenAt > 9_000);
      window.turn("visible");
    }
    expect(has(run, 1, "live")).toBe(true);
  });
  expect(server.paths).toHaveLength(1);
});

it("a window that is opened hidden reads for 10 s, and what it shows later is paused at once", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const [x, y] = [await record(server.runs, 1), await record(server.runs, 1)];
  await onFastClock(async () => {
    const options = { ...COOKIE, baseUrl: `http://127.0.0.1:${server.port}` };
    const window = openWindow(options, "hidden");
    const first = window.follow(x);
    await waitFor(() => has(first, 1, "live"));
    await waitFor(() => has(first, 1, "paused"));
    await waitFor(() => server.handler.stats().streams.open === 0);
    expect((await navigator.locks.query()).held).toEqual([]);
    const asked = server.paths.length;
    const second = window.follow(y);
    expect(second.shared.connection.state).toBe("paused");
    expect(server.paths).toHaveLength(asked);
    window.turn("visible");
    await waitFor(() => has(first, 1, "live") && has(second, 1, "live"));
    expect(server.paths.at(-1)).toMatch(new RegExp(`runs=${x}:1@[^,]*,${y}:0$`));
  });
});

it("a list that is hidden for 10 s has every run when it is seen again, and says which version it had", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const runId = await record(server.runs, 1);
  await onFastClock(async () => {
    const window = openWindows(server.port, 1)[0] as TestWindow;
    const feed = window.followFeed();
    feed.want({ topic: null, last: false });
    const last = (): number | undefined => feed.shared.list.runs.get(runId)?.lastSequence;
    await waitFor(() => last() === 1 && feed.shared.connection.state === "live");
    window.turn("hidden");
    await waitFor(() => feed.shared.connection.state === "paused");
    await append(server, runId, "RUN_COMPLETED");
    expect(last()).toBe(1);
    window.turn("visible");
    await waitFor(() => last() === 2);
    expect(server.paths.at(-1)).toContain("feed=live&have=");
  });
});

it("a window that is left while it asks for a slot, and comes back at once, has its stream", async () => {
  stubBrowser();
  const server = await startRunsServer();
  const runId = await record(server.runs, 1);
  await onFastClock(async () => {
    const window = openWindows(server.port, 1)[0] as TestWindow;
    const run = window.follow(runId);
    for (let turn = 0; turn < 20; turn += 1) {
      window.turn(turn % 2 === 0 ? "left" : "visible");
      for (let tick = 0; tick < turn % 5; tick += 1) await new Promise(setImmediate);
    }
    await waitFor(() => has(run, 1, "live"));
    expect((await navigator.locks.query()).held).toHaveLength(1);
    expect(server.handler.stats().streams.open).toBe(1);
  });
});
