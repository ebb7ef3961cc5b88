import { expect, it } from "vitest";
import {
  connected,
  event,
  finished,
  json,
  page,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";
import { COOKIE, isInOrder, openTab, range, shows } from "./open-tab.ts";

it("tabs that begin at different events share a connection, and each reads for itself what the leader lacks", async () => {
  let live: Parameters<typeof stream>[0] | undefined;
  const { baseUrl, requests } = await startScriptedServer((response, _, { url }) => {
    const since = Number(/since=(\d+)/.exec(url ?? "")?.[1]);
    if (url?.includes("/stream") === true) live = stream(response, connected(), event(since + 1));
    else page(response, range(since + 1, Math.min(since + 3, 9)));
  });
  const options = { ...COOKIE, baseUrl, runId: "begin" };
  const leader = openTab(options, 6);
  await shows(leader, 1, "live");
  const whole = openTab(options);
  await shows(whole, 7, "live");
  const later = openTab(options, 7);
  await shows(later, 0, "live");
  live?.end(event(8) + finished(8));
  await shows(leader, 2, "finished");
  await shows(whole, 8, "finished");
  await shows(later, 1, "finished");
  for (const [tab, start] of [
    [leader, 6],
    [whole, 0],
    [later, 7],
  ] as const) {
    for (const { events } of tab.views) {
      expect(events.every(({ sequence }, index) => sequence === start + index + 1)).toBe(true);
    }
  }
  expect(requests).toEqual([
    "begin/stream?since=6",
    "begin/events?since=0&limit=7&wait=0",
    "begin/events?since=3&limit=4&wait=0",
    "begin/events?since=6&limit=1&wait=0",
  ]);
});

it("events that a late tab asks for are not repeated in a tab that has them", async () => {
  let live: Parameters<typeof stream>[0] | undefined;
  const { baseUrl, requests } = await startScriptedServer(
    (response) => (live = stream(response, connected(), event(1), event(2))),
  );
  const options = { ...COOKIE, baseUrl, runId: "not-repeated" };
  const [leader, second] = [openTab(options), openTab(options)];
  for (const tab of [leader, second]) await shows(tab, 2, "live");
  const late = openTab(options);
  await shows(late, 2, "live");
  live?.end(event(3) + finished(3));
  for (const tab of [leader, second, late]) {
    await shows(tab, 3, "finished");
    expect(tab.views.every(isInOrder)).toBe(true);
  }
  expect(requests).toHaveLength(1);
});

it("a tab whose earlier events the server refuses shows why, and leaves the others alone", async () => {
  const { baseUrl } = await startScriptedServer((response, index) => {
    if (index === 0) stream(response, connected(), event(7));
    else json(response, 404, { code: "not_found" });
  });
  const options = { ...COOKIE, baseUrl, runId: "refused-earlier" };
  const leader = openTab(options, 6);
  await shows(leader, 1, "live");
  await shows(openTab(options), 0, "failed");
  await shows(leader, 1, "live");
});

it("a tab that reads earlier events takes the lead when the leader closes, and misses nothing", async () => {
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let live: Parameters<typeof stream>[0] | undefined;
  const { baseUrl, requests } = await startScriptedServer((response, index, { url }) => {
    if (index === 0) live = stream(response, connected(), event(7));
    else if (url?.includes("/stream") === true) {
      stream(response, connected(), ...range(1, 8).map(event), finished(8));
    } else {
      asked.resolve();
      void held.promise.then(() => page(response, range(1, 6)));
    }
  });
  const options = { ...COOKIE, baseUrl, runId: "takes-lead" };
  const leader = openTab(options, 6);
  await shows(leader, 1, "live");
  const whole = openTab(options);
  await asked.promise;
  // News of the leader while this tab still reads.
  live?.write(event(8));
  await shows(leader, 2, "live");
  leader.close();
  await shows(whole, 8, "finished");
  held.resolve();
  await whole.following;
  await shows(whole, 8, "finished");
  expect(requests.filter((path) => path.includes("/events"))).toHaveLength(1);
});
