import type { EventDraft } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { createHandler } from "../src/index.ts";
import { sequencesOf, typesOf } from "./harness/live-stream.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

const IN_FLIGHT = 65_536;
/** More than a loopback connection swallows: 24 MiB. */
const FLOOD = 3_000;

function events(count: number, payload: string): readonly EventDraft[] {
  return Array<EventDraft>(count).fill({ eventType: "NOTE", payload });
}

async function flood(world: World, runId: string): Promise<void> {
  for (let at = 0; at < FLOOD; at += 500)
    await world.ada.append(runId, events(500, "x".repeat(8_192)));
}

function upTo(last: number, from = 1): readonly number[] {
  return Array.from({ length: last - from + 1 }, (_, at) => from + at);
}

describe.each(DOORS)("%s", (door) => {
  it("W25: a reader that stops does not delay the others, and later goes on from the log", async () => {
    await using world = await openWorld(door, { clock: createManualClock() });
    const runId = await world.record("NOTE");
    const stalled = await world.tail(runId);
    await stalled.until("run_event");
    const healthy = await world.tail(runId);
    await flood(world, runId);
    let most = 0;
    for (let seen = 0; seen <= FLOOD; seen += sequencesOf([await healthy.next()]).length) {
      most = Math.max(most, ...world.inFlight());
    }
    expect(most).toBeLessThanOrEqual(IN_FLIGHT);
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    expect(typesOf(await healthy.rest()).at(-1)).toBe("run_finished");
    const frames = await stalled.rest();
    expect(sequencesOf(frames)).toEqual(upTo(FLOOD + 2, 2));
    expect(typesOf(frames).at(-1)).toBe("run_finished");
  });

  it("W25: a slow reader gets a log of many pages in order", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    for (let at = 0; at < 5; at++) await world.ada.append(runId, events(1_000, "x".repeat(400)));
    await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    const stream = await world.tail(runId, "?since=17");
    expect(sequencesOf(await stream.rest())).toEqual(upTo(5_001, 18));
  });
});

it("W25: a stalled reader whose connection does not even take its end is cut", async () => {
  const clock = createManualClock();
  await using world = await openWorld("node:http", { clock, stallMs: 1_000 });
  const runId = await world.record("NOTE");
  const stalled = await world.tail(runId);
  await stalled.until("run_event");
  await flood(world, runId);
  await world.turn();
  clock.advance(1_000);
  clock.advance(6_000);
  await eventually(async () => expect(await world.connections()).toBe(0));
  expect(world.stats().streams).toMatchObject({ open: 0, ended: { slow_consumer: 1 } });
});

it.each(["\u0085", "\u2028"])(
  "W25: the bytes in flight include escapes (%o)",
  async (separator) => {
    await using world = await openWorld("node:http", { clock: createManualClock() });
    const runId = await world.record("NOTE");
    const stalled = await world.tail(runId);
    await stalled.until("run_event");
    const healthy = await world.tail(runId, "?since=1");
    await healthy.until("connected");
    let most = 0;
    for (let at = 0; at < 40; at++) {
      await world.ada.append(runId, events(200, separator.repeat(1_000)));
      for (let seen = 0; seen < 200; seen += sequencesOf([await healthy.next()]).length) {
        most = Math.max(most, ...world.inFlight());
      }
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(IN_FLIGHT);
  },
);

it("W25: a stream as a Response hands out one piece at a time, of at most 64 KiB, and only when it is pulled", async () => {
  await using world = await openWorld("Request to Response");
  const runId = await world.record();
  await flood(world, runId);
  await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
  const handler = createHandler({
    runs: world.runs,
    authenticate: () => ({ userId: "ada", credential: "session" }),
  });
  const { body } = await handler.fetch(
    new Request(`http://localhost/v1/agent-runs/${runId}/stream`),
  );
  const sizes: number[] = [];
  for await (const chunk of body ?? []) sizes.push(chunk.length);
  expect(sizes.length).toBeGreaterThan(300);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(IN_FLIGHT);
});
