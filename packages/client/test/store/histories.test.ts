import { createClient } from "@tm/run-events-client/runs";
import { createRunStore, type InitialRun } from "@tm/run-events-client/store";
import { describe, expect, it } from "vitest";
import {
  connected,
  event,
  finished,
  json,
  page,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";
import { useServer } from "../use-server.ts";
import { expectRange, expectSnapshot, watchStore, leaveNothing } from "./watch-store.ts";

leaveNothing();

const server = useServer();
const credential = { cookie: "session=ada" } as const;
const userId = "ada";

/** Creates a run with this many events. */
async function record(count: number): Promise<string> {
  const runs = createClient({ baseUrl: server.baseUrl, credential: { bearer: "ada" } });
  const { runId } = await runs.create();
  const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
  await runs.append(runId, events);
  return runId;
}

/** An `initial` of a log that has lost its end since: its events have other times than those of the log. */
function oldLog(from: number, to: number): InitialRun {
  const events = Array.from({ length: to - from + 1 }, (_, index) => ({
    sequence: from + index,
    eventType: "OLD",
    payload: null,
    createdAt: "2020-01-01T00:00:00.000Z",
  }));
  return { events, runStatus: "running", currentPhase: null, lastSequence: to };
}

/** Waits until a view of the old log has failed, without an event of the new one. */
async function expectFailed(watched: ReturnType<typeof watchStore<ViewOfAny>>): Promise<void> {
  await expectSnapshot(watched, { state: "failed" });
  expect(watched.store.getSnapshot().error?.code).toBe("history_changed");
  for (const { events } of watched.seen)
    expect(events.every(({ eventType }) => eventType === "OLD")).toBe(true);
}

type ViewOfAny = ReturnType<ReturnType<typeof createRunStore>["getSnapshot"]>;

describe("a view of a log that has lost its end", () => {
  it.each([3, 5])(
    "W46: alone, with %d of 5 events, it fails, and never mixes two histories",
    async (last) => {
      const { baseUrl } = server;
      const initial = oldLog(1, last);
      const runId = await record(5);
      await expectFailed(
        watchStore(createRunStore(runId, { baseUrl, credential, userId, initial })),
      );
    },
  );

  it("W46: next to a view of the log as it is, it fails, and the other one goes on", async () => {
    const options = { baseUrl: server.baseUrl, credential, userId };
    const runId = await record(5);
    const whole = watchStore(createRunStore(runId, options));
    await expectRange(whole, 1, 5);
    for (const last of [3, 5]) {
      const store = createRunStore(runId, { ...options, initial: oldLog(1, last) });
      // Before its first subscriber, a view takes the events that the page has.
      expect(store.getSnapshot()).toMatchObject({ state: "connecting", cursor: last });
      await expectFailed(watchStore(store));
    }
    await expectSnapshot(whole, { state: "live", cursor: 5 });
  });

  it("W46: next to one that began after its events, it fails", async () => {
    const options = { baseUrl: server.baseUrl, credential, userId };
    const runId = await record(5);
    const late = watchStore(createRunStore(runId, { ...options, tail: 1 }));
    await expectRange(late, 5, 5);
    for (const last of [3, 4]) {
      const initial = oldLog(1, last);
      await expectFailed(watchStore(createRunStore(runId, { ...options, initial })));
    }
    await expectSnapshot(late, { state: "live", cursor: 5 });
  });

  it("W46: with more events than the log has, it fails too, while nothing new comes and after the run's end", async () => {
    const options = { baseUrl: server.baseUrl, credential, userId };
    const runId = await record(2);
    const whole = watchStore(createRunStore(runId, options));
    await expectSnapshot(whole, { state: "live", cursor: 2 });
    await expectFailed(watchStore(createRunStore(runId, { ...options, initial: oldLog(1, 5) })));
    await createClient({ ...options, credential: { bearer: "ada" } }).cancel(runId);
    await expectSnapshot(whole, { state: "finished", cursor: 3 });
    const late = createRunStore(runId, { ...options, initial: oldLog(1, 4) });
    expect(late.getSnapshot()).toMatchObject({ state: "connecting", cursor: 4 });
    await expectFailed(watchStore(late));
  });

  it("W46: it fails when a view that had fewer events reaches its last one", async () => {
    let live: Parameters<typeof stream>[0] | undefined;
    let isLost = false;
    const { baseUrl } = await startScriptedServer((response, _, { url }) => {
      if (url?.includes("/stream") === true) live = stream(response, connected(), event(1));
      else if (isLost) json(response, 409, { code: "history_changed", lastSequence: 3 });
      else page(response, []);
    });
    const options = { baseUrl, credential, userId };
    const whole = watchStore(createRunStore("behind", options));
    await expectSnapshot(whole, { state: "live", cursor: 1 });
    const old = watchStore(createRunStore("behind", { ...options, initial: oldLog(1, 2) }));
    await expectSnapshot(old, { state: "live", cursor: 2 });
    isLost = true;
    live?.write(event(2) + event(3));
    await expectFailed(old);
    await expectSnapshot(whole, { state: "live", cursor: 3 });
  });

  it("W46: earlier events of another history are refused, and the view stays as it is", async () => {
    const { baseUrl, addresses } = await startScriptedServer((response, _, { url }) => {
      if (url?.includes("/stream") === true) stream(response, connected(), event(9));
      else page(response, [6, 7, 8]);
    });
    const options = { baseUrl, credential, userId, tail: 2, initial: oldLog(8, 8) };
    const watched = watchStore(createRunStore("earlier", options));
    await expectRange(watched, 8, 9);
    await watched.store.getSnapshot().loadEarlier();
    expect(watched.store.getSnapshot()).toMatchObject({
      loadError: { code: "history_changed", details: { lastSequence: 9 } },
      hasEarlier: true,
      state: "live",
    });
    await expectRange(watched, 8, 9);
    expect(addresses.at(-1)).toBe("earlier/events?since=5&limit=3&wait=0");
  });

  it("W46: if the time of the event at which another view began is not known, its first event is compared", async () => {
    const { baseUrl, addresses } = await startScriptedServer((response, _, { url }) => {
      if (url?.includes("/stream") === true) stream(response, connected(), event(6));
      else json(response, 200, { ...oldLog(4, 6), lastSequence: 9, hasMore: true });
    });
    const options = { baseUrl, credential, userId };
    const initial = { ...oldLog(1, 0), since: 5, lastSequence: 5 };
    const late = watchStore(createRunStore("unknown", { ...options, initial }));
    await expectRange(late, 6, 6);
    await expectFailed(
      watchStore(createRunStore("unknown", { ...options, initial: oldLog(1, 3) })),
    );
    const at = encodeURIComponent("2020-01-01T00:00:00.000Z");
    expect(addresses[1]).toBe(`unknown/events?since=3&at=${at}&limit=3&wait=0`);
    await expectSnapshot(late, { state: "live", cursor: 6 });
  });

  it("W46: events that the log has lost meanwhile are not waited for", async () => {
    const { baseUrl } = await startScriptedServer((response, _, { url }) => {
      if (url?.includes("/stream") === true) stream(response, connected(), event(6), finished(6));
      else page(response, [], "running", 3);
    });
    const options = { baseUrl, credential, userId };
    const late = watchStore(createRunStore("short", { ...options, initial: oldLog(4, 5) }));
    await expectSnapshot(late, { state: "finished", cursor: 6 });
    const early = watchStore(createRunStore("short", { ...options, initial: oldLog(1, 3) }));
    await expectFailed(early);
    expect(early.store.getSnapshot().error?.details.lastSequence).toBe(3);
  });
});
