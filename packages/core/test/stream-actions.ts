import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect } from "vitest";
import type { NewEvent } from "../src/rules/event.ts";
import type { StreamErrorCode } from "../src/wire/stream-error.ts";
import { checkNow, isLive } from "./check-conversation.ts";
import { pick, scriptOf, SOURCE_ACTS, type Step } from "./interleaving.ts";
import { newEvent } from "./run-record.ts";
import {
  type Conversation,
  cut,
  MAX_STREAMS,
  MAX_STREAMS_PER_USER,
  OWNERS,
  record,
  type StreamWorld,
  TICK_MS,
  unblock,
} from "./stream-world.ts";

const EVENTS: readonly NewEvent[] = [
  newEvent("TOKEN", '"a\u2028"'),
  newEvent("TOKEN", "1e2"),
  newEvent("RUN_STARTED"),
  newEvent("PHASE_STARTED", '{"phase":"plan"}'),
  newEvent("PHASE_STARTED", '{"phase":"write"}'),
  newEvent("INPUT_REQUESTED"),
  newEvent("TOKEN", JSON.stringify("x".repeat(60_000))),
];

function ownerAt(at: number): string {
  return pick(OWNERS, at) ?? "ada";
}

/** Opens a stream, and expects that it is admitted exactly while the limits allow it. */
function open(world: StreamWorld, at: number, count: number): void {
  const { streams, conversations, logs, drainedByMs } = world;
  const ownerId = ownerAt(at);
  const before = streams.stats();
  const own = conversations.filter(
    (one) => one.ownerId === ownerId && one.counted && ["open", "ended"].includes(one.sink.state),
  );
  // One that could not be opened may have left already, or be about to.
  const connected = own.filter(({ sink }) => sink.frames[0]?.data["type"] === "connected");
  const length = logs.get(ownerId)?.length ?? 0;
  // From some way back to a little ahead.
  const conversation = world.open(ownerId, Math.max(0, length + 2 - count));
  conversation.counted = streams.stats().opened > before.opened;
  const room = before.open < MAX_STREAMS && drainedByMs === Number.POSITIVE_INFINITY;
  if (conversation.counted) {
    expect([room, connected.length < MAX_STREAMS_PER_USER]).toStrictEqual([true, true]);
  } else expect(room && own.length < MAX_STREAMS_PER_USER).toBe(false);
}

/** Lets time pass, and checks after each tick. */
export async function tick(world: StreamWorld, count: number): Promise<void> {
  for (let ticks = 0; ticks < count; ticks++) {
    world.clock.advance(TICK_MS);
    await setImmediate();
    checkNow(world);
  }
}

async function answerQuestion(
  world: StreamWorld,
  at: number,
  verdict: StreamErrorCode | null | Error,
): Promise<void> {
  const conversation = pick(world.conversations, at);
  const question = conversation?.questions.shift();
  if (conversation === undefined || question === undefined) return;
  conversation.answeredAtMs = world.clock.now();
  if (verdict instanceof Error) question.reject(verdict);
  else question.resolve(verdict);
  await setImmediate();
  if (verdict !== null) expect(isLive(conversation)).toBe(false);
}

function withOne(act: (conversation: Conversation) => void) {
  return ({ conversations }: StreamWorld, at: number): void => {
    const conversation = pick(conversations, at);
    if (conversation !== undefined) act(conversation);
  };
}

const USUAL = {
  append: 14,
  open: 9,
  ready: 9,
  answer: 18,
  notify: 9,
  loseNotification: 3,
  tick: 18,
  unblock: 10,
  cut: 2,
  allow: 6,
  forbid: 2,
  cannotTell: 1,
  finish: 1,
  remove: 1,
  fail: 1,
};

type ActionName = keyof typeof USUAL | "drain";

type Act = (world: StreamWorld, at: number, count: number) => void | Promise<void>;

const ACTS: Readonly<Record<ActionName, Act>> = {
  append(world, at, count) {
    const events = EVENTS.slice(count % EVENTS.length).slice(0, 1 + (at % 3));
    record(world, ownerAt(at), count > 9 ? [newEvent("INPUT_RECEIVED")] : events);
  },
  finish: (world, at) => record(world, ownerAt(at), [newEvent("RUN_COMPLETED")]),
  remove: ({ source }, at) =>
    void source.writes.remove({ ownerId: ownerAt(at), runId: ownerAt(at) }),
  open,
  ...SOURCE_ACTS,
  unblock: withOne(unblock),
  cut: withOne(cut),
  allow: (world, at) => answerQuestion(world, at, null),
  forbid: (world, at) => answerQuestion(world, at, "unauthenticated"),
  cannotTell: (world, at) => answerQuestion(world, at, new Error("the session store is down")),
  tick: (world, _at, count) => tick(world, 2 * count),
  drain(world, at, count) {
    const windowMs = at * count * 30;
    world.drainedByMs = Math.min(world.drainedByMs, world.clock.now() + windowMs);
    world.drains += 1;
    void world.streams.drain(windowMs).then(() => (world.drained += 1));
  },
};

type Script = readonly Step<ActionName>[];

const usual = (steps: number): fc.Arbitrary<Script> =>
  scriptOf(USUAL, { count: 12, hops: 6, steps });

/** Any order of all that may happen; a third of them continue after one drain or several. */
export const streamActions: fc.Arbitrary<Script> = fc.oneof(
  { weight: 2, arbitrary: usual(60) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(usual(42), scriptOf({ ...USUAL, drain: 12 }, { count: 12, hops: 6, steps: 18 }))
      .map((parts) => parts.flat()),
  },
);

export async function play(world: StreamWorld, script: Script): Promise<void> {
  for (const { name, at, count, hops } of script) {
    await ACTS[name](world, at, count);
    for (let hop = 0; hop < hops; hop++) await Promise.resolve();
    checkNow(world);
  }
}
