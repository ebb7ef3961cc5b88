import { RunEventsError } from "@tm/run-events-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { eventually } from "./harness/eventually.ts";
import { sequencesOf } from "./harness/live-stream.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const EVENTS = 12;

describe.each(DOORS)("%s", (door) => {
  it("W45: a page by its distance to the end has the last events, and says where it begins", async () => {
    await using world = await openWorld(door);
    const runId = await world.record(...Array<string>(EVENTS).fill("NOTE"));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 1, max: 15 }),
        async (tail, limit) => {
          const path = `/v1/agent-runs/${runId}/events?tail=${tail}&limit=${limit}`;
          const answer = await world.send({ path, headers: ADA });
          const since = Math.max(0, EVENTS - tail);
          const { events, ...page } = answer.json() as unknown as {
            readonly events: readonly { readonly sequence: number }[];
          };
          const length = Math.min(limit, EVENTS - since);
          expect(page).toMatchObject({
            since,
            lastSequence: EVENTS,
            hasMore: length < EVENTS - since,
          });
          expect(events.map(({ sequence }) => sequence)).toEqual(
            Array.from({ length }, (_, at) => since + at + 1),
          );
        },
      ),
    );
    const plain = await world.send({ path: `/v1/agent-runs/${runId}/events`, headers: ADA });
    expect(plain.json()).not.toHaveProperty("since");
  });

  it("W45: a large page says where it begins, too", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const payload = "x".repeat(100_000);
    for (let at = 0; at < 8; at++) await world.ada.append(runId, [{ eventType: "BIG", payload }]);
    const path = `/v1/agent-runs/${runId}/events?tail=7`;
    const page = (await world.send({ path, headers: ADA })).json();
    expect(page).toMatchObject({ since: 1, hasMore: false });
    expect(page["events"]).toHaveLength(7);
  });

  it("W45, W17: a held poll of an empty run answers its first events", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events?tail=5&wait=30`;
    const held = world.send({ path, headers: ADA });
    await eventually(() => expect(world.stats().waiting).toBe(1));
    await world.ada.append(runId, Array(7).fill({ eventType: "NOTE" }));
    const { since, events } = (await held).json();
    expect([since, events]).toMatchObject([
      0,
      Array.from({ length: 7 }, (_, at) => ({ sequence: at + 1 })),
    ]);
  });

  it("W45, W20: a stream begins that far before the end, and a valid Last-Event-ID wins", async () => {
    await using world = await openWorld(door);
    const runId = await world.record(...Array<string>(EVENTS).fill("NOTE"));
    for (const [headers, since] of [
      [{}, EVENTS - 3],
      [{ "last-event-id": "4" }, 4],
      [{ "last-event-id": "x" }, EVENTS - 3],
    ] as const) {
      const stream = await world.tail(runId, "?tail=3", { ...ADA_SESSION, ...headers });
      const connected = await stream.next();
      expect(connected.data["since"]).toBe(since);
      expect(sequencesOf([await stream.next()])).toEqual([since + 1]);
      stream.leave();
    }
  });

  it("W24, W45: a store that is down is a retryable error in the stream, and 503 to a poll", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE", "NOTE");
    world.store.cut(new RunEventsError("store_unavailable", "The store is down."));
    const stream = await world.tail(runId, "?tail=1");
    expect(stream.status).toBe(200);
    const frames = await stream.rest();
    expect(frames.map(({ data }) => data)).toMatchObject([
      { type: "error", code: "store_unavailable", retryable: true },
    ]);
    const path = `/v1/agent-runs/${runId}/events?tail=1`;
    expect((await world.send({ path, headers: ADA })).status).toBe(503);
    expect(world.stats().streams.open).toBe(0);
    world.store.cut(null);
    const again = await world.tail(runId, "?tail=1");
    expect(sequencesOf(await again.until("run_event"))).toEqual([2]);
  });

  it.each([
    "tail=0",
    "tail=1001",
    "tail=-1",
    "tail=1.5",
    "tail=",
    "tail=x",
    "tail=1&tail=2",
    "tail=5&since=0",
  ])("W45: %s is 400", async (query) => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    for (const [end, headers] of [
      ["events", ADA],
      ["stream", ADA_SESSION],
    ] as const) {
      const answer = await world.send({ path: `/v1/agent-runs/${runId}/${end}?${query}`, headers });
      expect(answer.status).toBe(400);
      expect(answer.json()["code"]).toBe("invalid_request");
    }
  });

  it("W4, W45: a stranger's and an unknown run are the same 404", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("NOTE");
    const answers = await Promise.all(
      [runId, "none"].map((id) =>
        world.send({
          path: `/v1/agent-runs/${id}/events?tail=5`,
          headers: { authorization: "Bearer bob" },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  });
});
