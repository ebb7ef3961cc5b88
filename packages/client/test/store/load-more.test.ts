import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { snapshotOf } from "../feed/snapshot-of.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { json, stream } from "../scripted-server.ts";
import {
  ENDED,
  endedRuns,
  GONE,
  idsOf,
  OTHER,
  rowsOf,
  runFrames,
  shows,
  STARTED,
  VERSION,
  watchScripted,
} from "./watch-scripted.ts";
import { leaveNothing } from "./watch-store.ts";

leaveNothing();

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
  await shows(list, ...ids.slice(0, 100));
  const [reading] = held;
  if (reading !== undefined) json(reading, 200, { runs: all.slice(0, 50), nextCursor: "more" });
  await expect.poll(() => asked).toEqual(["limit=50", "limit=50", "limit=100", "limit=100"]);
  await shows(list, ...ids.slice(0, 100));
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
  // The feed may show the run before the list has been read.
  await expect.poll(() => list.store.getSnapshot().hasMore).toBe(true);
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

it("W14: `loadMore` reads 50 older runs, though newer ones have come and the oldest that was read is gone", async () => {
  let open: ServerResponse | undefined;
  const asked: (string | undefined)[] = [];
  const live = snapshotOf(2);
  const gone = `data: ${JSON.stringify({ type: "run_gone", runId: live.runId })}\n\n`;
  const list = await watchScripted(
    (response) => (open = stream(response, STARTED, runFrames(live), VERSION)),
    (response) => {
      asked.push(response.req.url?.split("?")[1]);
      const runs = asked.length === 1 ? [...endedRuns(200, 49), live] : endedRuns(270, 169);
      json(response, 200, { runs, nextCursor: "more" });
    },
  );
  await expect.poll(() => idsOf(list).length).toBe(50);
  open?.write(gone + VERSION);
  await expect.poll(() => idsOf(list).length).toBe(49);
  open?.write(runFrames(...endedRuns(270, 70).toReversed()) + VERSION);
  await expect.poll(() => idsOf(list).length).toBe(119);
  await list.store.getSnapshot().loadMore();
  expect(asked).toEqual(["limit=50", "limit=169"]);
  expect(idsOf(list)).toEqual(endedRuns(270, 169).map(({ runId }) => runId));
});
