import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it, vi } from "vitest";
import { ADA } from "./harness/accounts.ts";
import type { Call } from "./harness/answer.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

/** A poll that waits, and where it is being held. */
function waitFor(runId: string, query: string, more: Partial<Call> = {}): Call {
  return { path: `/v1/agent-runs/${runId}/events?${query}`, headers: ADA, ...more };
}

async function untilWaiting(world: World, count = 1): Promise<void> {
  await eventually(() => expect(world.stats().waiting).toBe(count));
}

describe.each(DOORS)("%s", (door) => {
  it("W17: the wait of a client that disconnects ends", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const left = new AbortController();
    const answering = world.send(waitFor(runId, "wait=30", { signal: left.signal }));
    const settled = answering.then(
      () => "answered",
      () => "broken off",
    );
    await untilWaiting(world);
    expect(world.store.subscriptions()).toBe(1);
    left.abort();
    await settled;
    await untilWaiting(world, 0);
    expect(world.store.subscriptions()).toBe(0);
    expect(world.reported).toEqual([]);
  });

  it("W17: a client that has gone before the wait begins does not wait", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const left = new AbortController();
    const release = world.store.hold("read");
    const answering = world.send(waitFor(runId, "wait=30", { signal: left.signal }));
    const settled = answering.then(
      () => "answered",
      () => "broken off",
    );
    await eventually(() => expect(world.store.held()).toBe(1));
    left.abort();
    // The server must have noticed that no client is connected any more.
    await eventually(async () => expect(await world.connections()).toBe(0));
    release();
    await settled;
    await world.turn();
    expect([world.stats().waiting, world.store.subscriptions()]).toEqual([0, 0]);
  });

  it("W17: a poll of a run that is deleted meanwhile is not_found", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    // Held, so that the wait reads the run only when the run is gone.
    const answering = world.send(waitFor(runId, "wait=30"));
    await untilWaiting(world);
    const release = world.store.hold("read");
    await world.ada.append(runId, [{ eventType: "RUN_FAILED" }]);
    await world.ada.delete(runId);
    release();
    const answer = await answering;
    expect([answer.status, answer.json()["code"]]).toEqual([404, "not_found"]);
  });

  it("W17: a store that fails ends the wait with 503", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const answering = world.send(waitFor(runId, "wait=30"));
    await untilWaiting(world);
    world.store.cut(new RunEventsError("store_unavailable", "The store is down."));
    world.store.notifyAll();
    const answer = await answering;
    expect([answer.status, answer.json()["code"]]).toEqual([503, "store_unavailable"]);
    expect(answer.headers["retry-after"]).toBeDefined();
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W17, W27: a drain answers held polls, and holds none from then on", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const answering = [0, 1].map(() => world.send(waitFor(runId, "wait=30")));
    await untilWaiting(world, 2);
    await world.drain(0);
    // The timers are faked, so a poll that were held would be held for ever.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const late = await world.send(waitFor(runId, "wait=30")).finally(() => vi.useRealTimers());
    for (const answer of [...(await Promise.all(answering)), late]) {
      expect([answer.status, answer.json()]).toMatchObject([
        200,
        { events: [], runStatus: "queued" },
      ]);
    }
  });
});

it("W17: the wait of a connection that is reset ends", async () => {
  await using world = await openWorld("node:http");
  const runId = await world.record();
  const path = `/v1/agent-runs/${runId}/events?wait=30`;
  using socket = await openSocket(world.port, encodeHead("GET", path, ADA));
  await untilWaiting(world);
  socket.socket.resetAndDestroy();
  await untilWaiting(world, 0);
  expect(world.store.subscriptions()).toBe(0);
});
