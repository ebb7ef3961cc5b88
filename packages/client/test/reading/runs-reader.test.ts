import fc from "fast-check";
import { expect, it } from "vitest";
import { rounds } from "../../../core/test/rounds.ts";
import { FeedList } from "../../src/feed/feed-list.ts";
import { type FeedConnection, FollowedFeed } from "../../src/feed/followed-feed.ts";
import { RunsReader } from "../../src/follow/follow-runs.ts";
import { fault, startFaultProxy } from "../fault-proxy.ts";
import { credential, type Heard, listen, open } from "../listen.ts";
import { onFastClock, pass, waitFor } from "../on-fast-clock.ts";
import { record, startRunsServer as start } from "../runs-server.ts";
import { frame, startScriptedServer, stream } from "../scripted-server.ts";

function upTo(last: number, from = 1): readonly number[] {
  return Array.from({ length: last - from + 1 }, (_, at) => from + at);
}

it("W47: runs that are added together are read over one connection, each from its own beginning to its end", async () => {
  const { port, runs, handler, paths } = await start();
  const ids = [await record(runs, 5), await record(runs, 7, "RUN_FAILED"), await record(runs, 9)];
  const reader = open(`http://127.0.0.1:${port}`);
  const [a, b, c] = [
    listen(reader, ids[0] ?? "", { since: 2 }),
    listen(reader, ids[1] ?? ""),
    listen(reader, ids[2] ?? "", { tail: 2 }),
  ] as const;
  expect(await b.over).toMatchObject({ state: "finished", runStatus: "failed", cursor: 8 });
  await Promise.all([a.reach(5), c.reach(9)]);
  for (const runId of [ids[0], ids[2]])
    await runs
      .as("ada")
      .append(runId ?? "", [{ eventType: "TOKEN" }, { eventType: "RUN_COMPLETED" }]);
  expect(await a.over).toMatchObject({ state: "finished", cursor: 7 });
  expect(await c.over).toMatchObject({ state: "finished", cursor: 11 });
  expect([a.sequences, b.sequences, c.sequences]).toEqual([upTo(7, 3), upTo(8), upTo(11, 8)]);
  expect([paths.length, handler.stats().streams.opened]).toEqual([1, 1]);
  expect(a.states).toEqual(["live", "finished"]);
});

it("W47: a run that is added or removed later opens the connection again with the newest cursors", async () => {
  const { port, runs, paths } = await start();
  const [x, y] = [await record(runs, 3), await record(runs, 1)];
  const reader = open(`http://127.0.0.1:${port}`);
  const first = listen(reader, x);
  await first.reach(3);
  const second = listen(reader, y);
  await second.reach(1);
  await runs.as("ada").append(x, [{ eventType: "TOKEN" }]);
  await first.reach(4);
  second.stop();
  await expect.poll(() => paths.length).toBe(3);
  await runs.as("ada").append(y, [{ eventType: "TOKEN" }]);
  await runs.as("ada").append(x, [{ eventType: "RUN_COMPLETED" }]);
  await first.over;
  const { events } = await runs.as("ada").read(x);
  const [third, fourth] = [events[2]?.createdAt, events[3]?.createdAt];
  expect(paths).toEqual([
    `/v1/agent-runs/${x}/stream?since=0`,
    `/v1/agent-runs/stream?runs=${x}:3@${third},${y}:0`,
    `/v1/agent-runs/${x}/stream?since=4&at=${encodeURIComponent(fourth ?? "")}`,
  ]);
  expect([first.sequences, second.sequences]).toEqual([upTo(5), [1]]);
  expect(first.states).toEqual(["live", "finished"]);
});

it("W47: a run that cannot be read fails alone", async () => {
  const { port, runs } = await start();
  const [mine, ahead] = [await record(runs, 1), await record(runs, 1)];
  await runs.create({ runId: "bobs", ownerId: "bob" });
  const reader = open(`http://127.0.0.1:${port}`);
  const good = listen(reader, mine);
  const codes = await Promise.all(
    [listen(reader, "bobs"), listen(reader, "none"), listen(reader, ahead, { since: 7 })].map(
      async ({ over }) => (await over).error?.code,
    ),
  );
  expect(codes).toEqual(["not_found", "not_found", "cursor_ahead"]);
  await good.reach(1);
  await runs.as("ada").append(mine, [{ eventType: "RUN_COMPLETED" }]);
  expect(await good.over).toMatchObject({ state: "finished" });
});

it("W47: more runs than a stream may have are polled as well, and take the places of those that are over", async () => {
  const { port, runs, handler, paths } = await start();
  const ids: string[] = [];
  for (let count = 0; count < 104; count++) ids.push(await record(runs, 1));
  const reader = open(`http://127.0.0.1:${port}`);
  const heard = ids.map((runId) => listen(reader, runId));
  await Promise.all(heard.map(({ reach }) => reach(1)));
  expect(handler.stats().streams.open).toBe(1);
  expect(paths.some((path) => path.includes(`${ids[103]}/events`))).toBe(true);
  for (const runId of ids.slice(0, 10))
    await runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
  await Promise.all(heard.slice(0, 10).map(({ over }) => over));
  await expect.poll(() => paths.at(-1)?.includes(`${ids[103]}:1`)).toBe(true);
  for (const runId of ids.slice(10))
    await runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
  await Promise.all(heard.map(({ over }) => over));
  for (const { sequences } of heard) expect(sequences).toEqual([1, 2]);
});

it("after close, and after a run is removed, its listener is not called any more", async () => {
  const { port, runs, handler } = await start();
  const [x, y] = [await record(runs, 2), await record(runs, 2)];
  const reader = open(`http://127.0.0.1:${port}`);
  const [gone, left] = [listen(reader, x), listen(reader, y)];
  await Promise.all([gone.reach(2), left.reach(2)]);
  gone.stop();
  gone.stop();
  reader.close();
  reader.close();
  await expect.poll(() => handler.stats().streams.open).toBe(0);
  await runs.as("ada").append(x, [{ eventType: "TOKEN" }]);
  expect([gone.sequences, left.sequences, left.last?.state]).toEqual([[1, 2], [1, 2], "live"]);
});

const UNREADABLE = { type: "error", code: "store_unavailable", message: "", retryable: true };
const END = { type: "run_finished", runStatus: "completed", currentPhase: null };

/** The first event of a run, and its end. */
function wholeOf(runId: string): string {
  const event = { sequence: 1, eventType: "TOKEN", payload: null, createdAt: "2026-01-01" };
  return frame({ type: "run_event", runId, event }) + frame({ ...END, runId, lastSequence: 1 });
}

it("W47: a run that the server cannot read for now is asked for again after a pause, and the others go on meanwhile", async () => {
  const askedAt: number[] = [];
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    askedAt.push(performance.now());
    const opened = frame({ type: "stream_opened" }, 2_000);
    const failure = frame({ ...UNREADABLE, runId: "b" });
    if (index === 0) stream(response, opened, failure, wholeOf("a"));
    else stream(response, wholeOf("b"));
  });
  const [a, b] = await onFastClock(async () => {
    const reader = open(baseUrl);
    const heard = [listen(reader, "a"), listen(reader, "b")] as const;
    await Promise.all(heard.map(({ over }) => over));
    return heard;
  });
  expect(requests).toEqual(["stream?runs=a:0,b:0", "b/stream?since=0"]);
  expect([a.states, b.states]).toEqual([
    ["connecting", "finished"],
    ["paused", "connecting", "finished"],
  ]);
  expect([a.sequences, b.sequences]).toEqual([[1], [1]]);
  // A stream that is only silent is given up later.
  expect(Number(askedAt[1]) - Number(askedAt[0])).toBeLessThan(30_000);
});

it("W47: the pauses for a run that cannot be read grow, though the stream is well", async () => {
  let asked = 0;
  const { baseUrl } = await startScriptedServer((response) => {
    asked += 1;
    stream(response, frame({ type: "stream_opened" }, 2_000), frame({ ...UNREADABLE, runId: "b" }));
    const beats = setInterval(() => response.write(frame({ type: "heartbeat" })), 5_000);
    response.on("close", () => clearInterval(beats));
  });
  await onFastClock(async () => {
    const reader = open(baseUrl);
    const [a, b] = [listen(reader, "a"), listen(reader, "b")];
    await pass(300_000);
    expect([a.states.includes("paused"), b.states.includes("paused")]).toEqual([false, true]);
    reader.close();
  });
  // After a few short pauses, one takes 15 s on average.
  expect(asked).toBeLessThan(60);
});

it("W48: a list that the server cannot read for now is asked for again after a pause, and the runs go on meanwhile", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    const opened = frame({ type: "stream_opened" }, 2_000);
    if (index === 0) stream(response, opened, frame({ ...UNREADABLE, feed: true }), wholeOf("a"));
    else stream(response, opened, frame({ type: "feed_started", same: false }));
  });
  await onFastClock(async () => {
    const reader = open(baseUrl);
    const states: string[] = [];
    const listener = { onChange() {}, onState: ({ state }: FeedConnection) => states.push(state) };
    reader.follow(new FollowedFeed({ topic: null, last: false }, new FeedList(), listener));
    const run = listen(reader, "a");
    await run.over;
    await waitFor(() => states.at(-1) === "live");
    expect(states).toEqual(["paused", "connecting", "live"]);
  });
  expect(requests).toEqual(["stream?runs=a:0&feed=live", "stream?feed=live"]);
});

it("W22, W47: over any faults of the connection, with any changes of the set, each run's events come once, in order, and complete", async () => {
  const { port, runs } = await start();
  const change = fc.record({ kind: fc.constantFrom("append", "add", "remove"), at: fc.nat(3) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 4 }),
      fc.array(change, { maxLength: 8 }),
      async (faults, changes) => {
        const proxy = await startFaultProxy(port, faults);
        const ids = await Promise.all([2, 0, 5, 9].map((count) => record(runs, count)));
        await onFastClock(async () => {
          const reader = new RunsReader({ baseUrl: `http://127.0.0.1:${proxy.port}`, credential });
          const heard = new Map<string, Heard>();
          const follow = (runId: string): void => {
            const before = heard.get(runId);
            // One that was removed goes on where it was.
            const next = listen(reader, runId, { since: before?.sequences.at(-1) ?? 0 });
            next.sequences.unshift(...(before?.sequences ?? []));
            heard.set(runId, next);
          };
          follow(ids[0] ?? "");
          for (const { kind, at } of changes) {
            const runId = ids[at] ?? "";
            if (kind === "append") await runs.as("ada").append(runId, [{ eventType: "TOKEN" }]);
            else if (kind === "add") follow(runId);
            else heard.get(runId)?.stop();
          }
          for (const runId of ids) {
            heard.get(runId)?.stop();
            follow(runId);
            await runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
          }
          await Promise.all([...heard.values()].map(({ over }) => over));
          for (const { sequences, last } of heard.values())
            expect(sequences).toEqual(upTo(last?.cursor ?? 0));
          for (const runId of ids)
            expect(heard.get(runId)?.last?.cursor).toBe(
              (await runs.as("ada").get(runId)).lastSequence,
            );
          reader.close();
        });
        proxy.close();
      },
    ),
    { numRuns: rounds(40) },
  );
});
