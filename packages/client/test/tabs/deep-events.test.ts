import type { ServerResponse } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { connected, event, finished, startScriptedServer, stream } from "../scripted-server.ts";
import { COOKIE, isInOrder, openTab, range, shows, type Tab } from "./open-tab.ts";

/** An event of nested lists, as another server may have it. */
function deep(sequence: number, depth: number): string {
  const payload = "[".repeat(depth) + "]".repeat(depth);
  return event(sequence).replace(`"payload":${sequence}`, `"payload":${payload}`);
}

/** Uncaught errors until the test's end. */
function listenForFaults(): unknown[] {
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  process.on("uncaughtException", onFault);
  onTestFinished(() => void process.off("uncaughtException", onFault));
  return faults;
}

it("after an event that is too deep for a message, each tab has its own connection, even a late one", async () => {
  const faults = listenForFaults();
  const open: ServerResponse[] = [];
  const log = [event(1), event(2), deep(3, 6_000), event(4)];
  const { baseUrl, requests } = await startScriptedServer((response, index, { url }) => {
    const since = Number(new URL(url ?? "", "http://a").searchParams.get("since"));
    // The first connection has the log's beginning until all tabs are there.
    open.push(stream(response, connected(), ...log.slice(since, index === 0 ? 2 : 4)));
  });
  const options = { ...COOKIE, baseUrl, runId: "deep" };
  const tabs: Tab[] = [];
  for (const _ of range(1, 3)) {
    tabs.push(openTab(options));
    await shows(tabs.at(-1) as Tab, 2, "live");
  }
  expect(requests).toHaveLength(1);
  open[0]?.write(log.slice(2).join(""));
  await Promise.all(tabs.map(async (tab) => shows(tab, 4, "live")));
  const late = openTab(options);
  await shows(late, 4, "live");
  expect(requests).toHaveLength(4);
  for (const response of open) response.end(event(5) + finished(5));
  await Promise.all([...tabs, late].map(async (tab) => shows(tab, 5, "finished")));
  expect([...tabs, late].every(({ views }) => views.every(isInOrder))).toBe(true);
  expect(faults).toEqual([]);
});

it("events of the greatest depth that a server accepts are shared", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) =>
    stream(response, connected(), ...range(1, 3).map((sequence) => deep(sequence, 1_000))),
  );
  const options = { ...COOKIE, baseUrl, runId: "deep_enough" };
  for (const _ of range(1, 3)) await shows(openTab(options), 3, "live");
  expect(requests).toHaveLength(1);
});
