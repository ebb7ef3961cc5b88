import { expect, it, onTestFinished } from "vitest";
import { createRunCell, type RunCell } from "../../src/tabs/run-cell.ts";
import { TabConnection } from "../../src/tabs/tab-connection.ts";
import { connected, event, json, startScriptedServer, stream } from "../scripted-server.ts";
import { COOKIE, openTab, shows } from "./open-tab.ts";

const OTHER = "2020-01-01T00:00:00.000Z";

/** Follows in a tab that has events already. */
function followOn(baseUrl: string, runId: string, sequences: readonly number[]): RunCell {
  const cell = createRunCell(0, () => {});
  cell.add(
    sequences.map((sequence) => ({ sequence, eventType: "T", payload: 0, createdAt: OTHER })),
  );
  const left = new AbortController();
  onTestFinished(() => left.abort());
  void new TabConnection({ ...COOKIE, baseUrl }, () => {}).follow(runId, cell, left.signal);
  return cell;
}

it.each([
  ["as many events as the leading tab", [1, 2]],
  ["fewer events", [1]],
  ["more events", [1, 2, 3]],
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
