import { createClient } from "@tm/run-events-client/runs";
import { createRunStore } from "@tm/run-events-client/store";
import type { ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import {
  connected,
  event,
  finished,
  json,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";
import { useServer } from "../use-server.ts";
import { expectRange, expectSnapshot, watchStore, leaveNothing } from "./watch-store.ts";

leaveNothing();

const server = useServer();
const credential = { cookie: "session=ada" } as const;
const userId = "ada";
const CANCELLED = { runStatus: "cancelled", currentPhase: null, lastSequence: 2 } as const;

describe("a store that cancels its run", () => {
  it("W13: the flag is set at once in all stores of the run, until the end is shown", async () => {
    const { baseUrl } = server;
    const runs = createClient({ baseUrl, credential: { bearer: "ada" } });
    const { runId } = await runs.create();
    await runs.append(runId, [{ eventType: "TOKEN" }]);
    const stores = [1, 2].map(() =>
      watchStore(createRunStore(runId, { baseUrl, credential, userId })),
    );
    const [first, second] = stores;
    if (first === undefined || second === undefined) throw new TypeError("Expected two.");
    for (const one of stores) await expectRange(one, 1, 1);
    const cancelling = first.store.getSnapshot().cancel();
    for (const { store } of stores) expect(store.getSnapshot().isCancelling).toBe(true);
    await cancelling;
    for (const one of stores) {
      await expectSnapshot(one, { runStatus: "cancelled", state: "finished", isCancelling: false });
      for (const { runStatus, isCancelling } of one.seen) {
        if (runStatus === "cancelled") expect(isCancelling).toBe(false);
      }
    }
    const isUp = first.seen.map(({ isCancelling }) => isCancelling);
    expect(isUp.indexOf(false, isUp.indexOf(true))).toBe(isUp.length - 1);
  });

  it("W13: the flag stays while the answer is there and the run's end is not", async () => {
    let live: ServerResponse | undefined;
    const { baseUrl, requests } = await startScriptedServer((response, _, { method }) => {
      if (method === "POST") json(response, 200, CANCELLED);
      else live = stream(response, connected(), event(1));
    });
    const watched = watchStore(createRunStore("slow", { baseUrl, credential, userId }));
    await expectRange(watched, 1, 1);
    const { cancel } = watched.store.getSnapshot();
    await Promise.all([cancel(), cancel()]);
    expect(watched.store.getSnapshot().isCancelling).toBe(true);
    await cancel();
    live?.end(event(2) + finished(2));
    await expectSnapshot(watched, { state: "finished", isCancelling: false });
    await cancel();
    expect(requests).toEqual(["slow/stream?since=0", "slow/cancel"]);
  });

  it("a refusal is shown, nothing rejects, and the next call tries again", async () => {
    let refusals = 0;
    const { baseUrl } = await startScriptedServer((response, _, { method }) => {
      if (method !== "POST") stream(response, connected(), event(1));
      else if ((refusals += 1) === 1) json(response, 404, { code: "not_found", detail: "No run." });
      else json(response, 200, CANCELLED);
    });
    const watched = watchStore(createRunStore("no", { baseUrl, credential, userId }));
    await expectRange(watched, 1, 1);
    await watched.store.getSnapshot().cancel();
    expect(watched.store.getSnapshot()).toMatchObject({
      isCancelling: false,
      cancelError: { code: "not_found", message: "No run." },
      state: "live",
    });
    const again = watched.store.getSnapshot().cancel();
    expect(watched.store.getSnapshot()).toMatchObject({ isCancelling: true, cancelError: null });
    await again;
    expect(watched.store.getSnapshot().cancelError).toBeNull();
  });

  it("a cancel reaches the server although its view has left, and without any view", async () => {
    const asked: string[] = [];
    const streamClosed = Promise.withResolvers<void>();
    const { baseUrl } = await startScriptedServer((response, _, { method, url }) => {
      if (method !== "POST") {
        stream(response, connected(), event(1)).on("close", streamClosed.resolve);
        return;
      }
      // The first attempt is lost, and the second one takes longer than the view's connection.
      if (asked.push(url ?? "") === 1) response.destroy();
      else void streamClosed.promise.then(() => json(response, 200, CANCELLED));
    });
    const options = { baseUrl, credential, userId, mostDelayMs: 5 };
    const watched = watchStore(createRunStore("gone", options));
    await expectRange(watched, 1, 1);
    const cancelling = watched.store.getSnapshot().cancel();
    watched.leave();
    await cancelling;
    expect(asked).toHaveLength(2);
    expect(watched.store.getSnapshot().cancelError).toBeNull();
    await createRunStore("gone-2", options).getSnapshot().cancel();
    expect(asked.at(-1)).toBe("/v1/agent-runs/gone-2/cancel");
  });

  it("without a run there is nothing to follow, to load or to cancel", async () => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    const watched = watchStore(createRunStore(null, { fetch, tail: 5 }));
    const view = watched.store.getSnapshot();
    expect(view).toMatchObject({ state: "idle", events: [], hasEarlier: false, runStatus: null });
    await Promise.all([view.cancel(), view.loadEarlier()]);
    expect(watched.store.getSnapshot()).toBe(view);
    expect([fetch.mock.calls, watched.seen]).toEqual([[], [view]]);
  });
});
