import { createClient } from "@tm/run-events-client/runs";
import { createRunFold, createRunStore, type InitialRun } from "@tm/run-events-client/store";
import { describe, expect, it } from "vitest";
import { connected, event, finished, startScriptedServer, stream } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";
import { expectRange, expectSnapshot, rangeOf, watchStore, leaveNothing } from "./watch-store.ts";

leaveNothing();

const server = useServer();
const credential = { cookie: "session=ada" } as const;
const userId = "ada";

function initialOf(from: number, to: number, more: Partial<InitialRun> = {}): InitialRun {
  const events = Array.from({ length: to - from + 1 }, (_, index) => ({
    sequence: from + index,
    eventType: "TOKEN",
    payload: from + index,
    createdAt: "2026-01-01T00:00:00.000Z",
  }));
  return { events, runStatus: "running", currentPhase: "compose", lastSequence: to, ...more };
}

describe("a store that begins with what is known", () => {
  it("a page of the client is shown at once, also where a server renders, and reading goes on after it", async () => {
    const { baseUrl } = server;
    const runs = createClient({ baseUrl, credential: { bearer: "ada" } });
    const { runId } = await runs.create();
    const three = [1, 2, 3].map(() => ({ eventType: "TOKEN" }));
    await runs.append(runId, three);
    const initial = await runs.events(runId, { tail: 2 });
    await runs.append(runId, three);
    const watched = watchStore(
      createRunStore(runId, { baseUrl, credential, userId, initial, tail: 2 }),
    );
    expect(watched.seen[0]).toMatchObject({
      state: "connecting",
      runStatus: "running",
      cursor: 3,
      hasEarlier: true,
    });
    await expectRange(watched, 2, 6);
    await watched.store.getSnapshot().loadEarlier();
    await expectRange(watched, 1, 6);
    expect(
      watched.seen.map(rangeOf).every(([first, last]) => (first ?? 3) <= 2 && (last ?? 0) >= 3),
    ).toBe(true);
  });

  it("a run that has finished asks for nothing", async () => {
    const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
    const initial = initialOf(1, 3, { runStatus: "completed" });
    const watched = watchStore(createRunStore("over", { baseUrl, credential, userId, initial }));
    expect(watched.store.getSnapshot()).toMatchObject({
      state: "finished",
      runStatus: "completed",
    });
    await watched.store.getSnapshot().cancel();
    await new Promise(setImmediate);
    expect(requests).toEqual([]);
  });

  it("a snapshot of a finished run with its first events reads the others", async () => {
    const { baseUrl, addresses } = await startScriptedServer((response) =>
      stream(response, connected(), event(3), event(4), finished(4)),
    );
    const initial = initialOf(1, 2, { runStatus: "completed", lastSequence: 4 });
    const watched = watchStore(createRunStore("rest", { baseUrl, credential, userId, initial }));
    expect(watched.seen[0]?.state).toBe("connecting");
    await expectSnapshot(watched, { state: "finished" });
    await expectRange(watched, 1, 4);
    const at = encodeURIComponent("2026-01-01T00:00:00.000Z");
    expect(addresses).toEqual([`rest/stream?since=2&at=${at}`]);
  });

  it("while the server is away, the view keeps what is known, and shows why it waits", async () => {
    let isAway = true;
    const { baseUrl } = await startScriptedServer((response) => {
      if (isAway) response.destroy();
      else stream(response, connected(), event(3), finished(3));
    });
    const options = { baseUrl, credential, userId, mostDelayMs: 200, initial: initialOf(1, 2) };
    const watched = watchStore(createRunStore("away", options));
    await expectSnapshot(watched, { state: "paused", cursor: 2 });
    isAway = false;
    await expectSnapshot(watched, { state: "finished" });
    const before = watched.seen.filter(({ cursor }) => cursor === 2);
    const shown = before.map(({ runStatus, currentPhase }) => `${runStatus} ${currentPhase}`);
    expect(new Set(shown)).toEqual(new Set(["running compose"]));
    const errors = before.map(({ state, error }) => [state, error?.code]);
    expect(errors).toContainEqual(["paused", "store_unavailable"]);
  });

  it("a view whose credential cannot be sent fails, and so does what it loads", async () => {
    const options = { baseUrl: "http://127.0.0.1:1", credential: { bearer: "" }, userId };
    const watched = watchStore(createRunStore("a", { ...options, initial: initialOf(3, 4) }));
    await expectSnapshot(watched, { state: "failed" });
    await watched.store.getSnapshot().loadEarlier();
    const { error, loadError } = watched.store.getSnapshot();
    for (const one of [error, loadError]) expect(one?.message).toContain("Is the token missing?");
  });

  it.each([
    ["a gap", { events: [...initialOf(1, 2).events, ...initialOf(4, 5).events] }],
    ["another beginning than it says", { since: 3 }],
  ])("misuse: %s in it is refused", (_, more) => {
    const initial = initialOf(1, 2, more);
    expect(() => createRunStore("a", { initial })).toThrow(TypeError);
    expect(() => createRunFold("a", 0, (sum) => sum, { initial })).toThrow("without a gap");
  });
});
