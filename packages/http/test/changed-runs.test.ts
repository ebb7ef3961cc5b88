import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import type { Answer, Call } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const RUNS = "/v1/agent-runs";

function changed(since: string, query = "", more: Partial<Call> = {}): Call {
  return { path: `${RUNS}?changedSince=${since}${query}`, headers: ADA, ...more };
}

async function cursorOf(world: World): Promise<string> {
  let since = "";
  for (;;) {
    const body = (await world.send(changed(since))).json();
    since = String(body["cursor"]);
    if (body["hasMore"] === false) return since;
  }
}

function idsIn(answer: Answer): readonly string[] {
  return (answer.json()["runs"] as readonly { readonly runId: string }[]).map(({ runId }) => runId);
}

async function untilWaiting(world: World, count = 1): Promise<void> {
  await eventually(() => expect(world.stats().waiting).toBe(count));
}

describe.each(DOORS)("%s", (door) => {
  it("W48: changed runs are answered to either credential, as snapshots", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    for (const headers of [ADA, ADA_SESSION]) {
      const answer = await world.send(changed("", "", { headers }));
      expect(answer.json()).toEqual({
        runs: [(await world.send({ path: `${RUNS}/${runId}`, headers })).json()],
        gone: [],
        cursor: expect.stringMatching(/^1\./),
        hasMore: false,
        reset: true,
      });
    }
  });

  it("W48: an answer that waits is held until something changes, and its place is free then", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const since = await cursorOf(world);
    const answering = world.send(changed(since, "&wait=30"));
    await untilWaiting(world);
    await world.runs.append(runId, [{ eventType: "NEWS" }]);
    const answer = await answering;
    expect(answer.json()).toMatchObject({ runs: [{ runId, lastSequence: 2 }], reset: false });
    await untilWaiting(world, 0);
    expect(world.store.subscriptions()).toBe(0);
  });

  it("W48: an answer that waits is held for a new run, and not for another user's", async () => {
    await using world = await openWorld(door);
    const since = await cursorOf(world);
    const answering = world.send(changed(since, "&wait=30"));
    await untilWaiting(world);
    await world.runs.create({ ownerId: "bob", runId: "bobs" });
    await world.turn();
    expect(world.stats().waiting).toBe(1);
    await world.runs.create({ ownerId: "ada", runId: "new" });
    expect(idsIn(await answering)).toEqual(["new"]);
  });

  it("W48: an answer that waits is empty when its time is up", async () => {
    await using world = await openWorld(door);
    await world.record("NOTE");
    const since = await cursorOf(world);
    const answer = await world.send(changed(since, "&wait=0.05"));
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      { runs: [], gone: [], hasMore: false, reset: false },
    ]);
    expect(world.stats().waiting).toBe(0);
    expect(world.store.subscriptions()).toBe(0);
  });

  it("W48: an answer is not held if something has changed, or it starts over", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 0 });
    const since = await cursorOf(world);
    const runId = await world.record("NOTE");
    expect(idsIn(await world.send(changed(since, "&wait=30")))).toEqual([runId]);
    expect(idsIn(await world.send(changed("", "&wait=30")))).toEqual([runId]);
  });

  it("W48, W28: answers that wait count as held polls of their user", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 2 });
    const runId = await world.record("NOTE");
    const since = await cursorOf(world);
    const held = [
      world.send(changed(since, "&wait=30")),
      world.send({ path: `${RUNS}/${runId}/events?since=1&wait=30`, headers: ADA }),
    ];
    await untilWaiting(world, 2);
    const refused = await world.send(changed(since, "&wait=30"));
    expect([refused.status, refused.json()["code"]]).toEqual([429, "too_many_requests"]);
    expect((await world.send(changed(since))).status).toBe(200);
    await world.runs.cancel(runId);
    for (const answer of await Promise.all(held)) expect(answer.status).toBe(200);
  });

  it("W48: the wait of a client that disconnects ends", async () => {
    await using world = await openWorld(door);
    const since = await cursorOf(world);
    const left = new AbortController();
    const answering = world.send(changed(since, "&wait=30", { signal: left.signal }));
    const settled = answering.then(
      () => "answered",
      () => "broken off",
    );
    await untilWaiting(world);
    left.abort();
    await settled;
    await untilWaiting(world, 0);
    expect(world.store.subscriptions()).toBe(0);
    expect(world.reported).toEqual([]);
  });

  it("W48: polls of one user list one after the other, equal ones share a list, and one whose client has gone lists nothing", async () => {
    await using world = await openWorld(door);
    await world.record("NOTE");
    const since = await cursorOf(world);
    const letGo = world.store.hold("listChanged");
    const before = world.store.asked("listChanged");
    const left = new AbortController();
    const first = world.send(changed(since));
    await eventually(() => expect(world.store.held()).toBe(1));
    const equal = Array.from({ length: 20 }, () => world.send(changed(since, "&limit=7")));
    const gone = [1, 2, 3].map((limit) =>
      world.send(changed(since, `&limit=${limit}`, { signal: left.signal })).catch(() => null),
    );
    const bobs = world.send(changed("", "", { headers: { authorization: "Bearer bob" } }));
    await eventually(() => expect(world.store.held()).toBe(2));
    await eventually(() => expect(world.stats().inFlight.requests).toBe(25));
    left.abort();
    await Promise.all(gone);
    await eventually(() => expect(world.stats().inFlight.requests).toBe(22));
    expect(world.store.asked("listChanged")).toBe(before + 2);
    letGo();
    for (const answer of await Promise.all([first, bobs, ...equal]))
      expect(answer.status).toBe(200);
    expect(world.store.asked("listChanged")).toBe(before + 3);
    expect(world.reported).toEqual([]);
  });

  it("W48: a store that fails ends the wait with 503", async () => {
    await using world = await openWorld(door);
    const since = await cursorOf(world);
    const answering = world.send(changed(since, "&wait=30"));
    await untilWaiting(world);
    world.store.cut(new RunEventsError("store_unavailable", "The store is down."));
    world.store.notifyAll();
    const answer = await answering;
    expect([answer.status, answer.json()["code"]]).toEqual([503, "store_unavailable"]);
  });

  it("W48, W27: a drain answers what is held, and holds nothing from then on", async () => {
    await using world = await openWorld(door);
    const since = await cursorOf(world);
    const answering = world.send(changed(since, "&wait=30"));
    await untilWaiting(world);
    await world.drain(0);
    const late = world.send(changed(since, "&wait=30"));
    for (const answer of await Promise.all([answering, late])) {
      expect([answer.status, answer.json()]).toMatchObject([200, { runs: [], gone: [] }]);
    }
  });

  it("W48: an answer in which the store starts over has nothing that came before that", async () => {
    await using world = await openWorld(door);
    const kept = await world.record("NOTE");
    // What the store had before a backup was restored: more than one page, of which the second one comes after that.
    const before = createMemoryStore();
    const ids = Array.from({ length: 20 }, (_, at) => `lost-${at}`);
    for (const runId of ids)
      await before.createRun({ runId, ownerId: "ada", metadata: `"${"x".repeat(200_000)}"` });
    const { listChanged } = world.store;
    const since = (await before.listChanged({ ownerId: "ada", since: null, limit: 1 })).cursor;
    world.store.listChanged = (query) => {
      world.store.listChanged = listChanged;
      return before.listChanged(query);
    };
    const answer = await world.send(changed(since));
    expect(answer.json()).toMatchObject({ reset: true, gone: [], hasMore: false });
    expect(idsIn(answer)).toEqual([kept]);
  });

  it("W48, W49: runs with much metadata are cut at about 4 MiB, and all come in the end", async () => {
    await using world = await openWorld(door);
    const metadata = "x".repeat(200_000);
    const ids = Array.from({ length: 40 }, (_, at) => `run-${at}`);
    for (const runId of ids) await world.runs.create({ ownerId: "ada", runId, metadata });
    const seen: string[] = [];
    for (let since = "", hasMore = true; hasMore;) {
      const answer = await world.send(changed(since, "&limit=200"));
      // A read of the store is whole: 16 runs more at most.
      expect(answer.text.length).toBeLessThan(4_194_304 + 17 * 200_600);
      seen.push(...idsIn(answer));
      ({ cursor: since, hasMore } = answer.json() as { cursor: string; hasMore: boolean });
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });
});
