import type { RunEvent } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createRunCell, type RunCell } from "../../src/tabs/run-cell.ts";
import { TabConnection } from "../../src/tabs/tab-connection.ts";
import {
  connected,
  event,
  finished,
  json,
  page,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";
import { COOKIE, openTab, range, shows } from "./open-tab.ts";

const OTHER = "2020-01-01T00:00:00.000Z";
const TIME = "2026-01-01T00:00:00.000Z";

/** An event of a log that has lost its end, or of the log that came after it. */
function otherEvent(sequence: number): RunEvent {
  return { sequence, eventType: "T", payload: 0, createdAt: OTHER };
}

/** Follows in a tab that has events already. */
function followOn(
  baseUrl: string,
  runId: string,
  sequences: readonly number[],
  since = 0,
): RunCell {
  const cell = createRunCell({ since, at: since === 0 ? undefined : OTHER }, () => {});
  cell.add(sequences.map(otherEvent));
  const left = new AbortController();
  onTestFinished(() => left.abort());
  void new TabConnection({ ...COOKIE, baseUrl }, () => {}).follow(runId, cell, left.signal);
  return cell;
}

it.each([
  ["as many events as the leading tab", [1, 2]],
  ["fewer events", [1]],
] as const)(
  "W46: a tab with %s, but of a log that has lost its end, asks the server itself, and the others stay as they are",
  async (_, sequences) => {
    const last = sequences.length;
    let live: Parameters<typeof stream>[0] | undefined;
    const { baseUrl, addresses } = await startScriptedServer((response, index) => {
      if (index === 0) live = stream(response, connected(), event(1), event(2));
      else json(response, 409, { code: "history_changed", lastSequence: 2 });
    });
    const leader = openTab({ ...COOKIE, baseUrl, runId: "lost" });
    await shows(leader, 2, "live");
    const cell = followOn(baseUrl, "lost", sequences);
    await expect.poll(() => addresses.length + cell.cursor()).toBeGreaterThan(0);
    live?.write(event(3));
    await shows(leader, 3, "live");
    await expect.poll(() => cell.connection().state).toBe("failed");
    expect(cell.connection().error?.code).toBe("history_changed");
    expect(cell.cursor()).toBe(last);
    await shows(leader, 3, "live");
    expect(addresses).toEqual([
      "lost/stream?since=0",
      `lost/stream?since=${last}&at=${encodeURIComponent(OTHER)}`,
    ]);
  },
);

it("W46: when the leading tab has lost events, each tab asks for its own, and one that has none of them goes on", async () => {
  let live: Parameters<typeof stream>[0] | undefined;
  const { baseUrl, addresses } = await startScriptedServer((response, index, { url }) => {
    if (url?.includes("at=") === true)
      json(response, 409, { code: "history_changed", lastSequence: 1 });
    else if (index === 0) live = stream(response, connected(), event(1), event(2));
    else stream(response, connected(), event(3));
  });
  const leader = openTab({ ...COOKIE, baseUrl, runId: "lost" });
  await shows(leader, 2, "live");
  const late = openTab({ ...COOKIE, baseUrl, runId: "lost" }, 2);
  await shows(late, 0, "live");
  live?.destroy();
  await shows(leader, 2, "failed");
  await shows(late, 1, "live");
  expect(leader.cell.connection().error?.code).toBe("history_changed");
  expect(addresses.filter((path) => !path.includes("at="))).toHaveLength(2);
});

it.each([
  ["has events of its own", [1, 2, 3], 0],
  ["begins after what a server rendered", [], 3],
] as const)(
  "W46: if the log has lost the last event of a tab that %s, the tab gets no event of the leading tab",
  async (_, sequences, since) => {
    const { baseUrl, addresses } = await startScriptedServer((response, index) => {
      if (index === 0) stream(response, connected(), event(4), event(5));
      else json(response, 409, { code: "history_changed", lastSequence: 5 });
    });
    const leader = openTab({ ...COOKIE, baseUrl, runId: "joined" }, 3, TIME);
    await shows(leader, 2, "live");
    const cell = followOn(baseUrl, "joined", sequences, since);
    await expect.poll(() => cell.connection().state).toBe("failed");
    expect(cell.connection().error?.code).toBe("history_changed");
    expect(cell.cursor()).toBe(3);
    await shows(leader, 2, "live");
    expect(addresses).toEqual([
      `joined/stream?since=3&at=${encodeURIComponent(TIME)}`,
      `joined/stream?since=3&at=${encodeURIComponent(OTHER)}`,
    ]);
  },
);

it("W46: a tab that has read events of another history itself gets none of the leading tab's events", async () => {
  let live: Parameters<typeof stream>[0] | undefined;
  const { baseUrl } = await startScriptedServer((response, index, { url }) => {
    if (index === 0) live = stream(response, connected(), event(6));
    else if (url?.includes("/stream") === true)
      json(response, 409, { code: "history_changed", lastSequence: 7 });
    else {
      const events = range(1, 6).map(otherEvent);
      const state = { runStatus: "running", currentPhase: null, lastSequence: 6, hasMore: false };
      json(response, 200, { events, ...state });
    }
  });
  const leader = openTab({ ...COOKIE, baseUrl, runId: "read" }, 5, TIME);
  await shows(leader, 1, "live");
  const late = openTab({ ...COOKIE, baseUrl, runId: "read" });
  await shows(late, 6, "live");
  live?.write(event(7));
  await shows(leader, 2, "live");
  await shows(late, 6, "failed");
  expect(late.cell.connection().error?.code).toBe("history_changed");
  await shows(leader, 2, "live");
});

it("W46: a tab with more events than the log has learns of it, while nothing new comes", async () => {
  const { baseUrl, addresses } = await startScriptedServer((response, index) => {
    if (index === 0) stream(response, connected(), event(1));
    else json(response, 409, { code: "history_changed", lastSequence: 1 });
  });
  const leader = openTab({ ...COOKIE, baseUrl, runId: "idle" });
  await shows(leader, 1, "live");
  const cell = followOn(baseUrl, "idle", [1, 2, 3]);
  await expect.poll(() => cell.connection().state).toBe("failed");
  expect(cell.connection().error?.code).toBe("history_changed");
  await shows(leader, 1, "live");
  expect(addresses[1]).toBe(`idle/events?since=3&at=${encodeURIComponent(OTHER)}&limit=1&wait=0`);
});

it("W46: a tab that is ahead of the leading one asks once, and goes on if its events are there", async () => {
  let live: Parameters<typeof stream>[0] | undefined;
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    if (index === 0) live = stream(response, connected(), event(1));
    else page(response, []);
  });
  const leader = openTab({ ...COOKIE, baseUrl, runId: "slow" });
  await shows(leader, 1, "live");
  const ahead = openTab({ ...COOKIE, baseUrl, runId: "slow" }, 3, TIME);
  await shows(ahead, 0, "live");
  live?.write(event(2));
  await shows(leader, 2, "live");
  live?.write(event(3) + event(4) + finished(4));
  await shows(ahead, 1, "finished");
  expect(requests).toEqual(["slow/stream?since=0", "slow/events?since=3&limit=1&wait=0"]);
});

it("W46: a tab with more events than a finished run has does not finish", async () => {
  const { baseUrl } = await startScriptedServer((response, index) => {
    if (index === 0) stream(response, connected(), event(1), finished(1));
    else json(response, 409, { code: "history_changed", lastSequence: 1 });
  });
  const leader = openTab({ ...COOKIE, baseUrl, runId: "over" });
  const cell = followOn(baseUrl, "over", [1, 2, 3]);
  await shows(leader, 1, "finished");
  await expect.poll(() => cell.connection().state).toBe("failed");
  expect(cell.connection().error?.code).toBe("history_changed");
});

it("W46: a leading tab gives others none of the events that it reads for itself, of another history", async () => {
  const { baseUrl, addresses } = await startScriptedServer((response, _, { url }) => {
    if (url?.includes("at=") === true) stream(response, connected());
    else if (url?.includes("/events") === true) page(response, [1, 2], "running", 2);
    else stream(response, connected(), event(1), event(2));
  });
  const options = { ...COOKIE, baseUrl, runId: "gives" };
  const first = openTab(options);
  await shows(first, 2, "live");
  const other = followOn(baseUrl, "gives", [1, 2]);
  await expect.poll(() => addresses.length + other.cursor()).toBe(4);
  await expect.poll(() => other.connection().state).toBe("live");
  first.close();
  // The tab that was second leads now.
  const [second, third] = [openTab(options), openTab(options)];
  for (const tab of [second, third]) {
    await shows(tab, 2, "live");
    expect(tab.cell.after(0).every(({ createdAt }) => createdAt === TIME)).toBe(true);
  }
});
