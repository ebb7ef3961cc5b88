import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Act, coins, pick, scriptOf, SOURCE_ACTS } from "./interleaving.ts";
import { rounds } from "./rounds.ts";
import { newEvent } from "./run-record.ts";
import {
  checkReader,
  connect,
  createRunsWorld,
  cutOff,
  eventsOf,
  FOREIGN,
  isConnected,
  isDone,
  OWN,
  record,
  type RunsReader,
  type RunsWorld,
  unblock,
} from "./runs-world.ts";

const EVENTS = [
  newEvent("TOKEN", '"a\u2028"'),
  newEvent("PHASE_STARTED", '{"phase":"plan"}'),
  newEvent("TOKEN", JSON.stringify("x".repeat(30_000))),
];

function withReader(act: (reader: RunsReader) => void): Act<RunsWorld> {
  return ({ readers }, at) => {
    const reader = pick(readers, at);
    if (reader !== undefined) act(reader);
  };
}

const ACTS = {
  append(world, at, count) {
    const kind = count % 5;
    const input = newEvent(kind === 3 ? "INPUT_REQUESTED" : "INPUT_RECEIVED");
    const events = kind < 3 ? EVENTS.slice(0, 1 + kind) : [input];
    record(world, pick([...OWN, "bobs"], at) ?? "a", events);
  },
  finish: (world, at) => record(world, pick(OWN, at) ?? "a", [newEvent("RUN_COMPLETED")]),
  async remove({ source, removed }, at) {
    const runId = pick(OWN, at) ?? "a";
    if ((await source.writes.remove({ ownerId: "ada", runId })) === "deleted") removed.add(runId);
  },
  open(world, at, count, takes) {
    // Any set of runs: each bit stands for one.
    const runs = [...OWN, ...FOREIGN].filter(
      (_, index) => ((at * 13 + count + 1) >> index) % 2 === 1,
    );
    if (world.readers.length === 4 || runs.length === 0) return;
    const reader: RunsReader = { runs, connections: [] };
    world.readers.push(reader);
    connect(world, reader, takes);
  },
  comeBack(world, at, _, takes) {
    const reader = pick(world.readers, at);
    if (reader !== undefined && !isConnected(reader)) connect(world, reader, takes);
  },
  cut: withReader(cutOff),
  unblock: withReader(unblock),
  ...SOURCE_ACTS,
  async tick({ clock }, _, count) {
    for (let ticks = 0; ticks < count; ticks++) {
      clock.advance(500);
      await setImmediate();
    }
  },
} satisfies Readonly<Record<string, Act<RunsWorld>>>;

const WEIGHTS: Readonly<Record<keyof typeof ACTS, number>> = {
  append: 16,
  open: 6,
  comeBack: 5,
  cut: 3,
  unblock: 10,
  ready: 10,
  answer: 22,
  notify: 10,
  loseNotification: 2,
  tick: 8,
  finish: 3,
  remove: 1,
  fail: 1,
};

const script = scriptOf(WEIGHTS, { count: 12, hops: 6, steps: 80 });

/** Ends every run, and lets each reader come back until it has had the last frame of all. */
async function settle(world: RunsWorld): Promise<void> {
  const { source, clock, readers } = world;
  for (const runId of OWN) record(world, runId, [newEvent("RUN_CANCELLED")]);
  for (let round = 0; round < 600; round++) {
    for (const reader of readers) {
      unblock(reader);
      if (!isConnected(reader)) connect(world, reader, () => true);
    }
    for (const ready of source.readies) ready.resolve();
    for (const read of source.reads.toReversed()) read.answer();
    clock.advance(500);
    await setImmediate();
    if (readers.every(isDone)) break;
  }
  for (const reader of readers) cutOff(reader);
  await setImmediate();
}

const conversations = fc.asyncProperty(script, coins, async (steps, coin) => {
  const takes = (): boolean => coin.next().value === true;
  const world = await createRunsWorld(() => 0.5);
  for (const { name, at, count, hops } of steps) {
    await ACTS[name](world, at, count, takes);
    for (let hop = 0; hop < hops; hop++) await Promise.resolve();
    for (const reader of world.readers) checkReader(world, reader);
  }
  await settle(world);
  for (const reader of world.readers) {
    checkReader(world, reader);
    for (const runId of reader.runs) {
      const events = eventsOf(reader, runId);
      expect(events).toStrictEqual(events.map((_, at) => at + 1));
      const isReadable = OWN.some((one) => one === runId) && !world.removed.has(runId);
      const owed = isReadable ? world.logs.get(runId)?.length : events.length;
      expect([runId, events.length]).toStrictEqual([runId, owed]);
    }
  }
  const { source, clock, streams } = world;
  expect([streams.stats().open, source.subscriptions(), clock.timers()]).toStrictEqual([0, 0, 0]);
});

it("W20, W22-W27, W47: any readers of any runs, at any cursors, cut at any time, get each event once, in order, and each run's end", async () => {
  await fc.assert(conversations, { numRuns: rounds(400) });
});

it.each([
  ["a read that is answered after a newer one shows no older state", 10_007, "4126"],
  ["a run's first frame waits for its state", 20_007, "4177"],
])("W22, W23: %s", async (_, seed, path) => {
  await fc.assert(conversations, { seed, path, numRuns: 1, endOnFailure: true });
});
