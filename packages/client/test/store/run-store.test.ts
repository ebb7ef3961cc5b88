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
import { range } from "../page/open-window.ts";
import { expectRange, expectSnapshot, watchStore, leaveNothing } from "./watch-store.ts";

leaveNothing();

const credential = { cookie: "session=ada" } as const;
const userId = "ada";

describe("a store of a run", () => {
  it("between two changes it has the same snapshot, and parts that did not change are the same objects", async () => {
    const more = Promise.withResolvers<void>();
    const { baseUrl } = await startScriptedServer((response) => {
      stream(response, connected(), event(1));
      void more.promise.then(() => response.end(event(2) + finished(2)));
    });
    const store = createRunStore("same", { baseUrl, credential, userId });
    expect(store.getSnapshot()).toBe(store.getSnapshot());
    const watched = watchStore(store);
    await expectRange(watched, 1, 1);
    expect(store.getSnapshot()).toBe(store.getSnapshot());
    more.resolve();
    await expectSnapshot(watched, { state: "finished" });
    for (const [index, { events, cancel, loadEarlier }] of watched.seen.entries()) {
      const before = watched.seen[index - 1];
      if (before === undefined) continue;
      expect(before).not.toBe(watched.seen[index]);
      expect([cancel, loadEarlier]).toEqual([before.cancel, before.loadEarlier]);
      if (events.length === before.events.length) expect(events).toBe(before.events);
    }
  });

  it("a listener that is given twice is called twice, and each function removes one", async () => {
    const { baseUrl, open } = await startScriptedServer((response) =>
      stream(response, connected()),
    );
    const store = createRunStore("twice", { baseUrl, credential, userId });
    const listener = vi.fn<() => void>();
    const first = store.subscribe(listener);
    const second = store.subscribe(listener);
    first();
    first();
    await expectSnapshot({ store }, { state: "live" });
    expect(listener).toHaveBeenCalled();
    second();
    await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 20_000 });
  });

  it("the connection ends a second after the last subscriber, and a later one goes on after what is there", async () => {
    let live: ServerResponse | undefined;
    const { baseUrl, requests, open } = await startScriptedServer((response, index) => {
      if (index === 0) live = stream(response, connected(), event(1), event(2));
      else stream(response, connected(), event(4), finished(4));
    });
    const store = createRunStore("later", { baseUrl, credential, userId });
    const watched = watchStore(store);
    await expectRange(watched, 1, 2);
    // As StrictMode does.
    watched.leave();
    const again = watchStore(store);
    live?.write(event(3));
    await expectRange(again, 1, 3);
    again.leave();
    await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 20_000 });
    expect(requests).toEqual(["later/stream?since=0"]);
    await expectSnapshot(watchStore(store), { state: "finished" });
    await expectRange({ store }, 1, 4);
    expect(requests).toEqual(["later/stream?since=0", "later/stream?since=3"]);
  });

  it("a store that comes late shows at once what the page has", async () => {
    const { baseUrl } = await startScriptedServer((response) =>
      stream(response, connected(), ...range(1, 3).map(event)),
    );
    const options = { baseUrl, credential, userId };
    const first = watchStore(createRunStore("shown", options));
    await expectSnapshot(first, { cursor: 3, state: "live" });
    const late = createRunStore("shown", options);
    watchStore(late);
    expect(late.getSnapshot()).toMatchObject({ cursor: 3, state: "live", runStatus: "running" });
    expect(late.getSnapshot()).toBe(late.getSnapshot());
  });

  it.each([undefined, 2])(
    "a run that could not be followed is tried again by the next subscriber, with a tail of %s",
    async (tail) => {
      const body = { runStatus: "completed", currentPhase: null, lastSequence: 1, since: 0 };
      const { baseUrl, requests } = await startScriptedServer((response, index) => {
        if (index === 0) json(response, 401, { code: "unauthenticated" });
        else if (tail === undefined) stream(response, connected(), event(1), finished(1));
        else json(response, 200, { ...body, events: [{ sequence: 1, eventType: "A" }] });
      });
      const store = createRunStore(`retried-${tail}`, { baseUrl, credential, userId, tail });
      const watched = watchStore(store);
      await expectSnapshot(watched, { state: "failed" });
      expect(store.getSnapshot().error?.code).toBe("unauthenticated");
      watched.leave();
      const again = watchStore(store);
      expect(store.getSnapshot()).toMatchObject({ state: "connecting", error: null });
      await expectSnapshot(again, { state: "finished", cursor: 1, error: null });
      expect(requests).toHaveLength(2);
    },
  );

  it("where a server renders, a store asks for nothing, has no timer, and shows nothing of another request", async () => {
    const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
    const before = process.getActiveResourcesInfo();
    const events = [{ sequence: 1, eventType: "A", payload: 0, createdAt: "2026-01-01" }];
    const initial = { events, runStatus: "running", currentPhase: null, lastSequence: 1 } as const;
    createRunStore("rendered", { baseUrl, initial }).getSnapshot();
    expect(createRunStore("rendered", { baseUrl }).getSnapshot().events).toEqual([]);
    expect(process.getActiveResourcesInfo()).toEqual(before);
    expect(requests).toEqual([]);
  });
});
