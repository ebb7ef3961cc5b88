import { RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import type { Answer, Call } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const RUNS = "/v1/agent-runs";

function list(query = "", more: Partial<Call> = {}): Call {
  return { path: `${RUNS}?feed=live${query}`, headers: ADA, ...more };
}

/** A list that the caller has, and that is held until it changes. */
async function held(world: World, more: Partial<Call> = {}): Promise<Call> {
  const { version } = (await world.send(list())).json() as { readonly version: string };
  return list(`&have=${version}&wait=30`, more);
}

function idsIn(answer: Answer): readonly string[] {
  return (answer.json()["runs"] as readonly { readonly runId: string }[]).map(({ runId }) => runId);
}

async function untilWaiting(world: World, count = 1): Promise<void> {
  await eventually(() => expect(world.stats().waiting).toBe(count));
}

describe.each(DOORS)("%s", (door) => {
  it("W48: a list is of a time after its request, and is not held if it has another version", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 0 });
    const call = await held(world);
    const runId = await world.record("NOTE");
    expect(idsIn(await world.send(call))).toEqual([runId]);
    expect(idsIn(await world.send(list("&have=any&wait=30")))).toEqual([runId]);
  });

  it("W48, W28: answers that wait count as held polls of their user", async () => {
    await using world = await openWorld(door, { maxStreamsPerUser: 2 });
    const runId = await world.record("NOTE");
    const call = await held(world);
    const waiting = [
      world.send(call),
      world.send({ path: `${RUNS}/${runId}/events?since=1&wait=30`, headers: ADA }),
    ];
    await untilWaiting(world, 2);
    const refused = await world.send(call);
    expect([refused.status, refused.json()["code"]]).toEqual([429, "too_many_requests"]);
    expect((await world.send(list())).status).toBe(200);
    await world.ada.cancel(runId);
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
  });

  it("W48: the wait of a client that disconnects ends", async () => {
    await using world = await openWorld(door);
    const left = new AbortController();
    const answering = world.send(await held(world, { signal: left.signal }));
    const settled = answering.then(
      () => "answered",
      () => "broken off",
    );
    await untilWaiting(world);
    left.abort();
    await settled;
    await untilWaiting(world, 0);
    await eventually(() => expect(world.store.subscriptions()).toBe(0));
    expect(world.reported).toEqual([]);
  });

  it("W48: a store that fails ends the wait with 503", async () => {
    await using world = await openWorld(door);
    const answering = world.send(await held(world));
    await untilWaiting(world);
    world.store.cut(new RunEventsError("store_unavailable", "The store is down."));
    world.store.notifyAll();
    const answer = await answering;
    expect([answer.status, answer.json()["code"]]).toEqual([503, "store_unavailable"]);
  });

  it("W48, W27: a drain answers what is held, and holds nothing from then on", async () => {
    await using world = await openWorld(door);
    const call = await held(world);
    const answering = world.send(call);
    await untilWaiting(world);
    await world.drain(0);
    for (const answer of await Promise.all([answering, world.send(call)]))
      expect([answer.status, answer.json()]).toMatchObject([200, { same: true }]);
  });

  it("W48, W49: a list ends after 4 MiB of metadata, and says that there is more", async () => {
    await using world = await openWorld(door);
    const metadata = "x".repeat(200_000);
    for (let at = 0; at < 40; at++)
      await world.runs.create({ ownerId: "ada", runId: `run-${at}`, metadata });
    const answer = await world.send(list());
    expect(idsIn(answer)).toEqual(Array.from({ length: 21 }, (_, at) => `run-${39 - at}`));
    expect(answer.json()["more"]).toBe(true);
  });
});

it("W48: polls of one user at once share a look", async () => {
  await using world = await openWorld("Request to Response");
  await world.record("NOTE");
  const before = world.store.asked("list");
  // Without sockets all are asked in one turn.
  const answers = await Promise.all(Array.from({ length: 20 }, () => world.send(list())));
  for (const answer of answers) expect(answer.status).toBe(200);
  // A look lists twice. A request that comes after it has begun waits for the next one.
  expect(world.store.asked("list") - before).toBeLessThanOrEqual(4);
});
