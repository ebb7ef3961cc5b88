import type { ServerResponse } from "node:http";
import { expect, it, onTestFinished, vi } from "vitest";
import type { FeedWant } from "../../src/feed/feed-want.ts";
import { FeedCell } from "../../src/tabs/feed-cell.ts";
import type { Message } from "../../src/tabs/tab-messages.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { snapshotOf } from "../feed/snapshot-of.ts";
import { record, type RunsServer, startRunsServer } from "../runs-server.ts";
import { frame, startScriptedServer, stream } from "../scripted-server.ts";
import {
  channelName,
  COOKIE,
  openManyRunsTab,
  openTabs,
  shows,
  type ManyRunsTab,
} from "./open-tab.ts";

const ALL: FeedWant = { topic: null, last: false };

/** A list of runs in a tab. */
interface List {
  readonly cell: CheckedCell;
  readonly gone: string[];
  close(): void;
}

/** A cell that has a list as soon as it says so. */
class CheckedCell extends FeedCell {
  /** The first runs of each list that it said to have. */
  readonly first: string[][] = [];

  override take(...change: Parameters<FeedCell["take"]>): void {
    const had = this.wants.every((want) => this.has(want));
    super.take(...change);
    if (!had && this.wants.every((want) => this.has(want)))
      this.first.push([...this.list.runs.keys()]);
  }
}

function list(tab: ManyRunsTab | undefined, ...wants: readonly FeedWant[]): List {
  const gone: string[] = [];
  const cell = new CheckedCell((removed) => gone.push(...removed));
  cell.wants = wants;
  const close = tab?.followFeed(cell) ?? (() => {});
  return { cell, gone, close };
}

/** Each run's last sequence. */
function states({ cell }: List): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...cell.list.runs].map(([runId, { lastSequence }]) => [runId, lastSequence]),
  );
}

async function has(one: List, wanted: Readonly<Record<string, number>>): Promise<void> {
  await vi.waitFor(
    () => {
      expect(one.cell.list.feed).not.toBe(null);
      expect(states(one)).toEqual(wanted);
    },
    { timeout: 20_000 },
  );
}

/** On the fast clock. */
async function waitFor(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise(setImmediate);
}

/** The messages of the tabs of a server, until the test's end. */
function listen({ port }: RunsServer): readonly Message[] {
  const heard: Message[] = [];
  const channel = new BroadcastChannel(channelName(port));
  channel.onmessage = ({ data }: MessageEvent<Message>) => void heard.push(data);
  onTestFinished(() => channel.close());
  return heard;
}

it("W48: eight tabs with the list of runs and a run each share one stream, and each sees every run", async () => {
  const server = await startRunsServer();
  const ids = await Promise.all(Array.from({ length: 8 }, async () => record(server.runs, 1)));
  const tabs = openTabs(server.port, 8);
  const lists = tabs.map((tab) => list(tab, ALL));
  const runs = tabs.map((tab, index) => tab.follow(ids[index] ?? ""));
  const at = (sequence: number): Record<string, number> =>
    Object.fromEntries(ids.map((runId) => [runId, sequence]));
  for (const one of lists) await has(one, at(1));
  for (const tab of runs) await shows(tab, 1, "live");
  await expect.poll(() => server.handler.stats().streams.open).toBe(1);
  const opened = server.paths.length;
  for (const runId of ids) await server.runs.append(runId, [{ eventType: "TOKEN" }]);
  for (const one of lists) await has(one, at(2));
  for (const tab of runs) await shows(tab, 2, "live");
  for (const runId of ids) await server.runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
  for (const one of lists) await has(one, at(3));
  for (const runId of ids) await server.runs.delete(runId);
  for (const one of lists) await has(one, {});
  for (const { gone } of lists) await expect.poll(() => gone.toSorted()).toEqual(ids.toSorted());
  // The runs have ended. The stream goes on for the lists.
  const next = await record(server.runs, 1);
  for (const one of lists) await has(one, { [next]: 1 });
  expect(server.paths.slice(opened).filter((path) => path.includes("/stream"))).toEqual([]);
});

it("W48: a tab that comes later gets the runs from the tab with the connection, without a request", async () => {
  const server = await startRunsServer();
  const [x, y] = [await record(server.runs, 1), await record(server.runs, 2)];
  const [first, second] = openTabs(server.port, 2);
  const one = list(first, ALL);
  await has(one, { [x]: 1, [y]: 2 });
  await server.runs.append(x, [{ eventType: "RUN_COMPLETED" }]);
  await has(one, { [x]: 2, [y]: 2 });
  const requests = server.paths.length;
  const other = list(second, ALL);
  // Also the run that has ended.
  await has(other, { [x]: 2, [y]: 2 });
  expect(server.paths).toHaveLength(requests);
  expect(other.cell.connection.state).toBe("live");
});

it("W34, W48: tabs with lists of two topics share one feed of all topics, and begin again only for the second one", async () => {
  const server = await startRunsServer();
  const ids: string[] = [];
  for (const topic of ["a", "b", "c"])
    ids.push((await server.runs.create({ ownerId: "ada", topic })).runId);
  const [a = "", b = "", c = ""] = ids;
  const [first, second, third] = openTabs(server.port, 3);
  const one = list(first, { topic: "a", last: false });
  await has(one, { [a]: 0 });
  const other = list(second, { topic: "b", last: true });
  await has(other, { [a]: 0, [b]: 0, [c]: 0 });
  expect(one.cell.has({ topic: "b", last: true })).toBe(true);
  // It had no list before it had every run of it.
  expect(other.cell.first).toEqual([[a, b, c]]);
  list(third, { topic: "c", last: false });
  await server.runs.append(c, [{ eventType: "TOKEN" }]);
  await has(one, { [a]: 0, [b]: 0, [c]: 1 });
  expect([...one.cell.list.runs.values()].at(-1)?.last?.sequence).toBe(1);
  expect(server.paths).toEqual([
    "/v1/agent-runs/stream?feed=live&topic=a",
    "/v1/agent-runs/stream?feed=live&last=true",
  ]);
});

it("W48: when the tab with the connection closes, the next one goes on with its cursor, and no tab loses a run", async () => {
  const server = await startRunsServer();
  const x = await record(server.runs, 1);
  const [first, second, third] = openTabs(server.port, 3);
  const lists = [list(first, ALL), list(second, ALL), list(third, ALL)] as const;
  for (const one of lists) await has(one, { [x]: 1 });
  const before = lists[1].cell.list.runs.get(x);
  first?.close();
  await expect.poll(() => server.paths.length).toBe(2);
  expect(server.paths[1]).toContain("feed=live&changedSince=1.");
  await server.runs.append(await record(server.runs, 1), [{ eventType: "TOKEN" }]);
  const y = (await server.runs.list({ ownerId: "ada" })).runs[0]?.runId ?? "";
  for (const one of lists.slice(1)) await has(one, { [x]: 1, [y]: 2 });
  expect(lists[1].cell.list.runs.get(x)).toBe(before);
});

it("W48: a tab that is hidden for 10 s gives up its list, and has every run when it is seen again", async () => {
  const server = await startRunsServer();
  const x = await record(server.runs, 1);
  await onFastClock(async () => {
    const [first, second] = openTabs(server.port, 2) as [ManyRunsTab, ManyRunsTab];
    const [one, other] = [list(first, ALL), list(second, ALL)];
    await waitFor(() => states(one)[x] === 1 && states(other)[x] === 1);
    const hiddenAt = performance.now();
    second.hide();
    await waitFor(() => other.cell.connection.state === "paused");
    expect(performance.now() - hiddenAt).toBeGreaterThanOrEqual(10_000);
    await server.runs.append(x, [{ eventType: "TOKEN" }]);
    await waitFor(() => states(one)[x] === 2);
    expect(states(other)[x]).toBe(1);
    second.show();
    await waitFor(() => states(other)[x] === 2 && other.cell.connection.state === "live");
    first.hide();
    second.hide();
    await waitFor(() => server.handler.stats().streams.open === 0);
    const opened = server.paths.length;
    const awayAt = performance.now();
    await waitFor(() => performance.now() - awayAt > 30_000);
    expect(server.paths).toHaveLength(opened);
    await server.runs.append(x, [{ eventType: "RUN_COMPLETED" }]);
    second.show();
    await waitFor(() => states(other)[x] === 3);
    expect(server.paths.at(-1)).toContain("changedSince=1.");
  });
});

it("W48: a run that is too deep for a message gives each tab its own feed", async () => {
  const metadata = "[".repeat(6_000) + "]".repeat(6_000);
  const { metadata: _, ...run } = snapshotOf(1);
  const deep = `data: {"type":"run","run":${JSON.stringify(run).slice(0, -1)},"metadata":${metadata}}}\n\n`;
  const open: ServerResponse[] = [];
  const started = [
    frame({ type: "feed_started", reset: true }),
    frame({ type: "feed_cursor", cursor: "one" }),
  ];
  const { baseUrl } = await startScriptedServer((response, index) => {
    open.push(stream(response, ...started, index === 0 ? "" : deep));
  });
  const [first, second] = [
    openManyRunsTab({ ...COOKIE, baseUrl }),
    openManyRunsTab({ ...COOKIE, baseUrl }),
  ];
  const [one, other] = [list(first, ALL), list(second, ALL)];
  await has(one, {});
  await has(other, {});
  expect(open).toHaveLength(1);
  open[0]?.write(deep);
  await has(one, { "run-1": 1 });
  await has(other, { "run-1": 1 });
  expect(open.length).toBeGreaterThan(1);
});

it("a lone tab with a list sends no runs to other tabs, and closes the connection when the list is gone", async () => {
  const server = await startRunsServer();
  const heard = listen(server);
  const x = await record(server.runs, 1);
  const one = list(openTabs(server.port, 1)[0], ALL);
  await has(one, { [x]: 1 });
  await server.runs.append(x, [{ eventType: "TOKEN" }]);
  await has(one, { [x]: 2 });
  one.close();
  await expect.poll(() => server.handler.stats().streams.open).toBe(0);
  expect(heard.map(({ type }) => type)).not.toContain("feed");
});

it("W48: a feed that is refused fails in every tab, and one that comes later asks again", async () => {
  let isSignedIn = false;
  const server = await startRunsServer({
    authenticate: () => (isSignedIn ? { userId: "ada", credential: "session" } : null),
  });
  const [first, second, third] = openTabs(server.port, 3);
  for (const one of [list(first, ALL), list(second, ALL)])
    await expect.poll(() => one.cell.connection.error?.code).toBe("unauthenticated");
  isSignedIn = true;
  const other = list(third, ALL);
  await has(other, {});
});
