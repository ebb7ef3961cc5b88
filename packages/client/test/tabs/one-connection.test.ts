import { expect, it, onTestFinished } from "vitest";
import type { Message } from "../../src/tabs/tab-messages.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { record, type RunsServer, startRunsServer } from "../runs-server.ts";
import { channelName, isInOrder, type ManyRunsTab, openTabs, shows, type Tab } from "./open-tab.ts";

async function recordMany({ runs }: RunsServer, count: number): Promise<readonly string[]> {
  return Promise.all(Array.from({ length: count }, async () => record(runs, 1)));
}

async function append({ runs }: RunsServer, runId: string, eventType = "TOKEN"): Promise<void> {
  await runs.append(runId, [{ eventType }]);
}

/** Counts the tabs that take the lead, until the test's end. */
function listenForLeaders({ port }: RunsServer): { count: number } {
  const leaders = { count: 0 };
  const channel = new BroadcastChannel(channelName(port));
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === "who") leaders.count += 1;
  };
  onTestFinished(() => channel.close());
  return leaders;
}

/** On the fast clock. */
async function waitFor(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise(setImmediate);
}

function has({ cell }: Tab, cursor: number, state: string): boolean {
  return cell.cursor() === cursor && cell.connection().state === state;
}

it("W47: eight tabs that each show another run share one stream, and each sees its run to the end", async () => {
  const server = await startRunsServer();
  const ids = await recordMany(server, 8);
  const tabs = openTabs(server.port, 8).map((tab, index) => tab.follow(ids[index] ?? ""));
  for (const tab of tabs) await shows(tab, 1, "live");
  await expect.poll(() => server.handler.stats().streams.open).toBe(1);
  const opened = server.paths.length;
  for (const runId of ids) await append(server, runId);
  for (const tab of tabs) await shows(tab, 2, "live");
  expect(server.paths).toHaveLength(opened);
  for (const runId of ids) await append(server, runId, "RUN_COMPLETED");
  for (const tab of tabs) await shows(tab, 3, "finished");
  expect(tabs.every(({ views }) => views.every(isInOrder))).toBe(true);
  expect(server.paths).toHaveLength(opened);
});

it("W47: 250 runs of three tabs take two streams, and the runs beyond are polled, two at a time", async () => {
  const server = await startRunsServer();
  const ids = await recordMany(server, 250);
  const [first, second, third] = openTabs(server.port, 3);
  const tabs = ids.map((runId, index) => [first, second, third][index % 3]?.follow(runId) as Tab);
  for (const { cell } of tabs) await expect.poll(() => cell.cursor()).toBe(1);
  await expect.poll(() => server.handler.stats().streams.open).toBe(2);
  for (const runId of ids) await append(server, runId, "RUN_COMPLETED");
  for (const tab of tabs) await shows(tab, 2, "finished");
  expect(server.paths.every((path) => !path.includes("wait=25"))).toBe(true);
});

it("a lone tab with a lone run has the stream of that run, and sends no events to other tabs", async () => {
  const server = await startRunsServer();
  const heard: string[] = [];
  const channel = new BroadcastChannel(channelName(server.port));
  channel.onmessage = ({ data }: MessageEvent<Message>) => void heard.push(data.type);
  const runId = await record(server.runs, 3);
  const tab = openTabs(server.port, 1)[0]?.follow(runId) as Tab;
  await shows(tab, 3, "live");
  await append(server, runId, "RUN_COMPLETED");
  await shows(tab, 4, "finished");
  channel.close();
  expect(server.paths).toEqual([`/v1/agent-runs/${runId}/stream?since=0`]);
  expect(heard).not.toContain("run");
});

it("a tab that is hidden for 10 s gives up what only it shows, and catches up when it is seen", async () => {
  const server = await startRunsServer();
  const [x, y] = (await recordMany(server, 2)) as [string, string];
  await onFastClock(async () => {
    const [leader, other] = openTabs(server.port, 2) as [ManyRunsTab, ManyRunsTab];
    const mine = leader.follow(x);
    await waitFor(() => has(mine, 1, "live"));
    const its = other.follow(y);
    await waitFor(() => has(its, 1, "live"));
    const hiddenAt = performance.now();
    other.hide();
    await waitFor(() => has(its, 1, "paused"));
    expect(performance.now() - hiddenAt).toBeGreaterThanOrEqual(10_000);
    await waitFor(() => server.paths.at(-1)?.includes(`${x}/stream?since=1`) === true);
    await append(server, x);
    await append(server, y);
    await waitFor(() => has(mine, 2, "live"));
    expect(its.cell.cursor()).toBe(1);
    other.show();
    await waitFor(() => has(its, 2, "live"));
    expect(server.paths.at(-1)).toMatch(new RegExp(`runs=${x}:2@.*,${y}:1@`));
    expect([mine, its].every(({ views }) => views.every(isInOrder))).toBe(true);
  });
});

it("a tab that is hidden for less than 10 s keeps the connection", async () => {
  const server = await startRunsServer();
  const runId = await record(server.runs, 1);
  await onFastClock(async () => {
    const tab = openTabs(server.port, 1)[0] as ManyRunsTab;
    const run = tab.follow(runId);
    await waitFor(() => has(run, 1, "live"));
    for (const _ of [1, 2, 3]) {
      tab.hide();
      const hiddenAt = performance.now();
      await waitFor(() => performance.now() - hiddenAt > 9_000);
      tab.show();
    }
    expect(has(run, 1, "live")).toBe(true);
  });
  expect(server.paths).toHaveLength(1);
});

it("a hidden leader gives the lead to a visible tab, and all hidden tabs give up the connection until one is seen", async () => {
  const server = await startRunsServer();
  const [x, y] = (await recordMany(server, 2)) as [string, string];
  await onFastClock(async () => {
    const [leader, other] = openTabs(server.port, 2) as [ManyRunsTab, ManyRunsTab];
    const mine = leader.follow(x);
    await waitFor(() => has(mine, 1, "live"));
    const its = other.follow(y);
    await waitFor(() => has(its, 1, "live"));
    const leaders = listenForLeaders(server);
    leader.hide();
    await waitFor(() => has(mine, 1, "paused"));
    await waitFor(() => leaders.count === 1);
    await append(server, y);
    await waitFor(() => has(its, 2, "live"));
    other.hide();
    await waitFor(() => has(its, 2, "paused"));
    await waitFor(() => server.handler.stats().streams.open === 0);
    await append(server, x);
    await append(server, y);
    const asked = server.paths.length;
    leader.show();
    await waitFor(() => has(mine, 2, "live"));
    expect(server.paths.slice(asked)).toEqual([
      expect.stringContaining(`/v1/agent-runs/${x}/stream?since=1&at=`),
    ]);
    other.show();
    await waitFor(() => has(its, 3, "live"));
    await waitFor(() => server.handler.stats().streams.open === 1);
    expect([mine, its].every(({ views }) => views.every(isInOrder))).toBe(true);
  });
});

it("what a crashed tab wanted is left when it has not answered for two rounds", async () => {
  const server = await startRunsServer();
  const [x, y] = (await recordMany(server, 2)) as [string, string];
  await onFastClock(async () => {
    const mine = openTabs(server.port, 1)[0]?.follow(x) as Tab;
    await waitFor(() => has(mine, 1, "live"));
    const channel = new BroadcastChannel(channelName(server.port));
    const want: Message = {
      type: "want",
      tab: "crashed",
      ask: 1,
      feed: null,
      runs: new Map([[y, { since: 0, at: undefined }]]),
    };
    channel.postMessage(want);
    await waitFor(() => server.paths.at(-1)?.includes(`,${y}:0`) === true);
    channel.close();
    const crashedAt = performance.now();
    await waitFor(() => server.paths.at(-1)?.includes(`${x}/stream`) === true);
    expect(performance.now() - crashedAt).toBeLessThan(65_000);
    await append(server, x);
    await waitFor(() => has(mine, 2, "live"));
  });
});

it("a tab that joins a run late, which the leading tab does not show, reads the earlier events itself", async () => {
  const server = await startRunsServer();
  const [x, y] = (await recordMany(server, 2)) as [string, string];
  const [leader, second, third] = openTabs(server.port, 3) as [
    ManyRunsTab,
    ManyRunsTab,
    ManyRunsTab,
  ];
  await shows(leader.follow(x), 1, "live");
  await shows(second.follow(y), 1, "live");
  for (const tab of [third, leader]) {
    const late = tab.follow(y);
    await shows(late, 1, "live");
    expect(late.views.every(isInOrder)).toBe(true);
  }
  const reads = server.paths.filter((path) => path.includes(`${y}/events`));
  expect(reads).toEqual(Array(2).fill(`/v1/agent-runs/${y}/events?since=0&limit=1&wait=0`));
});

it("a view that leaves takes its run from the connection, in any tab, and the others miss nothing", async () => {
  const server = await startRunsServer();
  const ids = (await recordMany(server, 3)) as [string, string, string];
  const [leader, other] = openTabs(server.port, 2) as [ManyRunsTab, ManyRunsTab];
  const first = leader.follow(ids[0]);
  await shows(first, 1, "live");
  const [second, third] = [other.follow(ids[1]), other.follow(ids[2])];
  for (const tab of [second, third]) await shows(tab, 1, "live");
  second.close();
  await expect
    .poll(() => server.paths.at(-1))
    .toMatch(new RegExp(`runs=${ids[0]}:1@[^,]*,${ids[2]}:1@`));
  first.close();
  await append(server, ids[2]);
  await shows(third, 2, "live");
  await append(server, ids[2], "RUN_COMPLETED");
  await shows(third, 3, "finished");
  expect(third.views.every(isInOrder)).toBe(true);
});
