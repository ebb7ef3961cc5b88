import { expect, it, onTestFinished } from "vitest";
import { record, startRunsServer } from "../runs-server.ts";
import { channelName, openTabs, shows, type Tab } from "./open-tab.ts";

const RUNS = new Map([["r", { since: 0, at: undefined }]]);
const PLACE = { hub: "", number: 0 };
const CONNECTION = { state: "live", runStatus: "running", currentPhase: null, cursor: 9 };
const RUN = { type: "run", runId: "r", events: [], from: 9, start: 0, error: null, silentMs: 0 };

/** What no tab sends, but any code of the origin may. */
const FOREIGN: readonly unknown[] = [
  null,
  "who",
  7,
  {},
  { type: "constructor" },
  { type: "want" },
  { type: "want", tab: "", ask: 1, runs: new Map(), feed: null },
  { type: "want", tab: "x", ask: 1, runs: null, feed: null },
  { type: "want", tab: "x", ask: 1, runs: new Map([["r", null]]), feed: null },
  { type: "want", tab: "x", ask: 1, runs: new Map([["r", { since: -5 }]]), feed: null },
  { type: "want", tab: "x", ask: 1, runs: RUNS, feed: {} },
  { type: "want", tab: "x", ask: 1, runs: RUNS, feed: { wants: [null], place: {} } },
  { type: "want", tab: "x", ask: 1, runs: RUNS, feed: { wants: [null], place: PLACE } },
  { type: "want", tab: "x", ask: 1, runs: RUNS, feed: { wants: [{ topic: "" }], place: PLACE } },
  { type: "want", tab: "x", ask: 1, runs: RUNS, feed: { wants: [{ topic: "\0" }], place: PLACE } },
  { type: "want", tab: "x", ask: 1, runs: new Map([["r,s", { since: 0 }]]), feed: null },
  { type: "want", tab: "x", ask: 1, runs: new Map([["", { since: 0 }]]), feed: null },
  { type: "apart", runId: 7 },
  { type: "answer" },
  { type: "run", runId: "r" },
  { ...RUN, connection: null },
  { ...RUN, connection: CONNECTION, events: [null] },
  { ...RUN, connection: CONNECTION, error: "lost" },
  { type: "feed" },
  { type: "feed", feed: { topic: null }, place: { hub: "h", number: 1 }, from: 0, changes: {} },
];

it("tabs ignore what no tab sends: all go on as before", async () => {
  const server = await startRunsServer();
  const runId = await record(server.runs, 1);
  const tabs = openTabs(server.port, 2).map((tab) => tab.follow(runId)) as [Tab, Tab];
  for (const tab of tabs) await shows(tab, 1, "live");
  const channel = new BroadcastChannel(channelName(server.port));
  onTestFinished(() => channel.close());
  for (const message of FOREIGN) channel.postMessage(message);
  await server.runs.append(runId, [{ eventType: "TOKEN" }]);
  for (const tab of tabs) await shows(tab, 2, "live");
  expect(server.handler.stats().streams).toMatchObject({ open: 1, opened: 1 });
  await server.runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
  for (const tab of tabs) await shows(tab, 3, "finished");
});
