import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const CALLS = ["append", "change", "read", "list", "probe"] as const;
const UNAVAILABLE = {
  status: 503,
  headers: { "retry-after": "1", "content-type": "application/problem+json; charset=utf-8" },
};

describe.each(DOORS)("%s", (door) => {
  it("W3, W24: while the store gives no answer, requests are refused at once, and one that was under way lands once when it is sent again", async () => {
    const clock = createManualClock();
    await using world = await openWorld(door, { clock });
    const runId = await world.record("NOTE");
    const path = `/v1/agent-runs/${runId}/events`;
    const keyed = post(path, { events: [{ eventType: "KEYED" }] }, { "idempotency-key": "k" });
    const single = post(path, { events: [{ eventType: "SINGLE" }] });
    const calls = (): number => CALLS.reduce((sum, name) => sum + world.store.asked(name), 0);
    const pass = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await nextTurn();
    };

    const polls = [world.send({ path, headers: ADA }), world.send({ path, headers: ADA })];
    expect((await polls[0])?.status).toBe(200);
    const held = world.send({ path: `${path}?since=1&wait=20`, headers: ADA });
    await eventually(() => expect(world.stats().waiting).toBe(1));
    for (const name of CALLS) world.store.hold(name);
    const late = [world.send(keyed), world.send({ path, headers: ADA })];
    const lateStream = world.tail(runId);
    // This append has no key, so its client may not send it again.
    const lateSingle = world.send(single);
    await eventually(() => expect(world.store.held()).toBe(2));
    await eventually(() => expect(world.stats().inFlight.requests).toBe(5));
    for (let ms = 0; ms < 2_000; ms += 250) await pass(250);
    for (const answer of await Promise.all([...late, held])) {
      expect(answer).toMatchObject(UNAVAILABLE);
      expect(answer.json()).toMatchObject({ code: "store_unavailable" });
    }

    const asked = calls();
    for (const request of [
      keyed,
      single,
      post("/v1/agent-runs", {}),
      { path, headers: ADA },
      { path: `${path}?wait=20`, headers: ADA },
      { path: "/v1/agent-runs", headers: ADA },
    ]) {
      expect(await world.send(request)).toMatchObject(UNAVAILABLE);
    }
    for (const stream of [await lateStream, await world.tail(runId)]) {
      expect(stream.status).toBe(200);
      expect(await stream.rest()).toMatchObject([
        { data: { type: "error", code: "store_unavailable", retryable: true } },
      ]);
    }
    expect(calls()).toBe(asked);

    world.store.releaseAll();
    expect((await lateSingle).status).toBe(201);
    await eventually(async () => expect((await world.send(keyed)).status).toBe(200));
    const page = await world.send({ path, headers: ADA });
    const types = (page.json() as { events: { eventType: string }[] }).events.map(
      ({ eventType }) => eventType,
    );
    expect(types.toSorted()).toEqual(["KEYED", "NOTE", "SINGLE"]);
    // The host gets each reason once, however many requests were refused.
    expect(world.reported.length).toBeLessThanOrEqual(4);
    await eventually(() => expect(clock.timers()).toBe(0));
  });
});
