import { expect, it, onTestFinished } from "vitest";
import { type Message, MESSAGE_VERSION, type RunMessage } from "../../src/tabs/tab-messages.ts";
import { onFastClock } from "../on-fast-clock.ts";
import {
  connected,
  event,
  finished,
  startScriptedServer,
  status,
  stream,
} from "../scripted-server.ts";
import { COOKIE, isInOrder, openTab, shows, type Tab } from "./open-tab.ts";

/** A tab that has the lock, and answers other tabs. */
interface Leader {
  /** The times of its answers, on the clock of `performance`. */
  readonly answeredAt: readonly number[];
}

/** Takes the lock of a run as a page does. Answers each `ask` with one event and the given silence. */
async function leadAs(baseUrl: string, runId: string, silentMs: () => number): Promise<Leader> {
  const name = `run-events ${MESSAGE_VERSION} ${JSON.stringify([`${baseUrl}/v1/agent-runs`, "ada"])}`;
  const channel = new BroadcastChannel(name);
  const leaving = Promise.withResolvers<void>();
  const answeredAt: number[] = [];
  const leading = Promise.withResolvers<void>();
  navigator.locks
    .request(name, async () => {
      leading.resolve();
      await leaving.promise;
    })
    // Another tab has taken the lock.
    .catch(() => {});
  await leading.promise;
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type !== "want") return;
    answeredAt.push(performance.now());
    const connection = {
      runStatus: "running",
      currentPhase: null,
      state: "live",
      cursor: 1,
    } as const;
    const first = { sequence: 1, eventType: "TOKEN", payload: 1, createdAt: "" };
    const from = data.runs.get(runId)?.since ?? 0;
    const message: RunMessage = {
      type: "run",
      runId,
      events: from === 0 ? [first] : [],
      from,
      fromAt: undefined,
      start: 0,
      connection,
      at: "",
      error: null,
      silentMs: silentMs(),
    };
    channel.postMessage(message);
    const { tab, ask } = data;
    channel.postMessage({ type: "answer", tab, ask, silentMs: silentMs() } satisfies Message);
  };
  onTestFinished(() => {
    leaving.resolve();
    channel.close();
  });
  return { answeredAt };
}

it("a frozen tab that still answers after 40 s of silence loses the lead, and the next tab has all events in order", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) =>
    stream(response, connected(), event(2), finished(2)),
  );
  let frozenAt = 0;
  let tab: Tab | undefined;
  await onFastClock(async () => {
    frozenAt = performance.now();
    await leadAs(baseUrl, "frozen", () => performance.now() - frozenAt);
    tab = openTab({ ...COOKIE, baseUrl, runId: "frozen" });
    await tab.following;
    expect(performance.now() - frozenAt).toBeGreaterThanOrEqual(40_000);
  });
  await shows(tab as Tab, 2, "finished");
  expect(tab?.views.every(isInOrder)).toBe(true);
  expect(requests).toEqual(["frozen/stream?since=1"]);
});

it("a tab whose server is not silent keeps the lead, however long the run is quiet", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
  await onFastClock(async () => {
    const leader = await leadAs(baseUrl, "alive", () => 39_000);
    const tab = openTab({ ...COOKIE, baseUrl, runId: "alive" });
    while (leader.answeredAt.length < 20) await new Promise(setImmediate);
    tab.close();
    await tab.following.catch(() => {});
  });
  expect(requests).toEqual([]);
});

it("a tab replaces a dead connection, so visible tabs miss nothing", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, index) => {
    if (index === 0) stream(response, connected(), event(1));
    else stream(response, connected(), event(2), finished(2));
  });
  const options = { ...COOKIE, baseUrl, runId: "swallowed" };
  await onFastClock(async () => {
    const tabs = [openTab(options), openTab(options)];
    await Promise.all(tabs.map(async ({ following }) => following));
    await Promise.all(tabs.map(async (tab) => shows(tab, 2, "finished")));
    expect(tabs.every(({ views }) => views.every(isInOrder))).toBe(true);
  });
  expect(requests).toEqual(["swallowed/stream?since=0", "swallowed/stream?since=1"]);
});

it("a quiet run with heartbeats is followed over one connection", async () => {
  const { baseUrl, requests } = await startScriptedServer((response, _, request) => {
    stream(response, connected(), event(1));
    let spokenAt = performance.now();
    const speaking = setInterval(() => {
      if (performance.now() - spokenAt < 15_000) return;
      spokenAt = performance.now();
      response.write(status());
    }, 1);
    request.on("close", () => clearInterval(speaking));
  });
  const options = { ...COOKIE, baseUrl, runId: "quiet" };
  await onFastClock(async () => {
    const startedAt = performance.now();
    const tabs = [openTab(options), openTab(options)];
    while (performance.now() - startedAt < 200_000) await new Promise(setImmediate);
    for (const tab of tabs) await shows(tab, 1, "live");
  });
  expect(requests).toHaveLength(1);
});
