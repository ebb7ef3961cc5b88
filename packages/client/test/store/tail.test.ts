import { createClient } from "@tm/run-events-client/runs";
import { createRunStore } from "@tm/run-events-client/store";
import { describe, expect, it, vi } from "vitest";
import { connected, event, json, page, startScriptedServer, stream } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";
import { range } from "../page/open-window.ts";
import { expectRange, expectSnapshot, rangeOf, watchStore, leaveNothing } from "./watch-store.ts";

leaveNothing();

const server = useServer();
const credential = { cookie: "session=ada" } as const;
const userId = "ada";

async function startRun(count: number): Promise<{
  readonly runId: string;
  readonly append: (count: number) => Promise<unknown>;
  readonly finish: () => Promise<unknown>;
}> {
  const runs = createClient({ baseUrl: server.baseUrl, credential: { bearer: "ada" } });
  const { runId } = await runs.create();
  const append = async (more: number): Promise<unknown> =>
    more === 0
      ? undefined
      : runs.append(
          runId,
          Array.from({ length: more }, () => ({ eventType: "TOKEN" })),
        );
  await append(count);
  return { runId, append, finish: async () => runs.cancel(runId) };
}

describe("a store that begins before the end", () => {
  it("W45: it has the last events and those to come, and loads earlier ones up to the first", async () => {
    const { runId, append, finish } = await startRun(25);
    const store = createRunStore(runId, { baseUrl: server.baseUrl, credential, userId, tail: 10 });
    const watched = watchStore(store);
    expect(store.getSnapshot()).toMatchObject({ state: "connecting", hasEarlier: false });
    await expectRange(watched, 16, 25);
    expect(store.getSnapshot()).toMatchObject({ hasEarlier: true, isLoadingEarlier: false });
    const loading = store.getSnapshot().loadEarlier();
    expect(store.getSnapshot().isLoadingEarlier).toBe(true);
    await append(2);
    await loading;
    expect(store.getSnapshot()).toMatchObject({ hasEarlier: true, isLoadingEarlier: false });
    await expectRange(watched, 6, 27);
    await store.getSnapshot().loadEarlier();
    await expectRange(watched, 1, 27);
    expect(store.getSnapshot().hasEarlier).toBe(false);
    await store.getSnapshot().loadEarlier();
    await finish();
    await expectSnapshot(watched, { state: "finished", runStatus: "cancelled", cursor: 28 });
    for (const view of watched.seen) rangeOf(view);
  });

  it("W45: a finished run whose end fits into the answer takes one request", async () => {
    const body = { runStatus: "completed", currentPhase: "a", lastSequence: 8, since: 6 };
    const events = [7, 8].map((sequence) => ({ sequence, eventType: "TOKEN", payload: null }));
    const { baseUrl, requests } = await startScriptedServer((response) =>
      json(response, 200, { ...body, events, hasMore: false }),
    );
    const watched = watchStore(createRunStore("a", { baseUrl, credential, userId, tail: 2 }));
    await expectSnapshot(watched, { state: "finished", runStatus: "completed", cursor: 8 });
    await expectRange(watched, 7, 8);
    expect(requests).toEqual(["a/events?limit=2&wait=0&tail=2"]);
  });

  it("W45: a view that is ahead of the shared stream keeps its own status, and shows how the connection is", async () => {
    const rest = Promise.withResolvers<void>();
    const { baseUrl } = await startScriptedServer((response, _, { url }) => {
      if (url?.includes("tail=") === true) {
        const events = [8, 9].map((sequence) => ({ sequence, eventType: "TOKEN", payload: 0 }));
        const body = { ...AT_9, currentPhase: "late", since: 7, events, hasMore: false };
        json(response, 200, body);
      } else {
        stream(response, connected(), event(1), event(2));
        void rest.promise.then(() => response.write(range(3, 10).map(event).join("")));
      }
    });
    const options = { baseUrl, credential, userId };
    const whole = watchStore(createRunStore("ahead", options));
    await expectRange(whole, 1, 2);
    await expectSnapshot(whole, { state: "live", currentPhase: null });
    const watched = watchStore(createRunStore("ahead", { ...options, tail: 2 }));
    await expectRange(watched, 8, 9);
    await expectSnapshot(watched, { state: "live", cursor: 9, currentPhase: "late" });
    rest.resolve();
    await expectRange(watched, 8, 10);
    await expectRange(whole, 1, 10);
    watched.seen.forEach(rangeOf);
  });

  it("earlier events that take several pages come before the others at once", async () => {
    const { baseUrl, requests } = await startScriptedServer((response, _, { url }) => {
      const { searchParams, pathname } = new URL(url ?? "", "http://a");
      const since = Number(searchParams.get("since"));
      if (searchParams.has("tail")) {
        json(response, 200, { ...AT_9, since: 7, events: [], hasMore: true });
      } else if (pathname.endsWith("/stream")) stream(response, connected(), event(8), event(9));
      // A page that is cut, as large ones are, with a repeat at its beginning.
      else page(response, [since, since + 1, since + 2]);
    });
    const watched = watchStore(createRunStore("cut", { baseUrl, credential, userId, tail: 5 }));
    await expectRange(watched, 8, 9);
    const { loadEarlier } = watched.store.getSnapshot();
    await Promise.all([loadEarlier(), loadEarlier()]);
    await expectRange(watched, 3, 9);
    const ranges = watched.seen.map((view) => rangeOf(view)[0]);
    expect([...new Set(ranges)]).toEqual([undefined, 8, 3]);
    expect(requests.slice(2)).toEqual([
      "cut/events?since=2&limit=6&wait=0",
      "cut/events?since=4&limit=4&wait=0",
      "cut/events?since=6&limit=2&wait=0",
    ]);
  });

  it("a refusal of earlier events is shown, leaves the view as it is, and the next call tries again", async () => {
    let isBroken = true;
    const { baseUrl } = await startScriptedServer((response, index, { url }) => {
      if (index === 0) json(response, 200, { ...AT_9, since: 7, events: [], hasMore: true });
      else if (url?.includes("/stream") === true) stream(response, connected(), event(8), event(9));
      else if (isBroken)
        json(response, 403, { code: "forbidden_origin", detail: "Not from here." });
      else page(response, [6, 7, 8]);
    });
    const watched = watchStore(createRunStore("refused", { baseUrl, credential, userId, tail: 2 }));
    await expectRange(watched, 8, 9);
    await watched.store.getSnapshot().loadEarlier();
    const refused = watched.store.getSnapshot();
    expect(refused).toMatchObject({
      loadError: { message: "Not from here." },
      isLoadingEarlier: false,
      hasEarlier: true,
      state: "live",
    });
    isBroken = false;
    const loading = refused.loadEarlier();
    expect(watched.store.getSnapshot().loadError).toBeNull();
    await loading;
    await expectRange(watched, 6, 9);
  });

  it("a store that is left while it loads closes the request, and has no error", async () => {
    const gone = Promise.withResolvers<void>();
    const { baseUrl, open } = await startScriptedServer((response, index, { url }) => {
      if (index === 0) json(response, 200, { ...AT_9, since: 7, events: [], hasMore: true });
      else if (url?.includes("/stream") === true) stream(response, connected(), event(8), event(9));
      else response.on("close", gone.resolve);
    });
    const watched = watchStore(createRunStore("left", { baseUrl, credential, userId, tail: 2 }));
    await expectRange(watched, 8, 9);
    const loading = watched.store.getSnapshot().loadEarlier();
    watched.leave();
    await Promise.all([loading, gone.promise]);
    expect(watched.store.getSnapshot()).toMatchObject({ loadError: null, isLoadingEarlier: false });
    await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 20_000 });
    await watched.store.getSnapshot().loadEarlier();
    expect(watched.store.getSnapshot().isLoadingEarlier).toBe(false);
  });

  it("W45: it shows why it waits for the end, and what the server refuses", async () => {
    const { baseUrl } = await startScriptedServer((response, index) => {
      if (index === 0) response.destroy();
      else json(response, 400, { code: "invalid_request", detail: "tail" });
    });
    const watched = watchStore(
      createRunStore("waits", { baseUrl, credential, userId, tail: 5_000, mostDelayMs: 5 }),
    );
    await expectSnapshot(watched, { state: "failed" });
    expect(watched.store.getSnapshot().error?.code).toBe("invalid_request");
    const states = watched.seen.map(({ state, error }) => [state, error?.code]);
    expect(states).toContainEqual(["paused", "store_unavailable"]);
  });
});

const AT_9 = { runStatus: "running", currentPhase: null, lastSequence: 9 } as const;
