import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/errors.ts";
import type { NewEvent } from "../src/store.ts";
import { checkConversation } from "./check-conversation.ts";
import { newEvent } from "./run-record.ts";
import {
  CLOSE_MS,
  type Conversation,
  createStreamWorld,
  HEARTBEAT_MS,
  MAX_AGE_MS,
  MAX_STREAMS,
  MAX_STREAMS_PER_USER,
  OWNERS,
  record,
  STALL_MS,
  type StreamWorld,
  TICK_MS,
} from "./stream-world.ts";

const EVENTS: readonly NewEvent[] = [
  newEvent("TOKEN", '"a\u2028"'),
  newEvent("TOKEN", "1e2"),
  newEvent("RUN_STARTED"),
  newEvent("PHASE_STARTED", '{"phase":"plan"}'),
  newEvent("PHASE_STARTED", '{"phase":"write"}'),
  newEvent("TOKEN", JSON.stringify("x".repeat(60_000))),
];
const FAILURE = new RunEventsError("store_unavailable", "The store did not answer.");

type Action =
  | { readonly do: "append"; readonly at: number; readonly kinds: readonly number[] }
  | { readonly do: "open"; readonly at: number; readonly behind: number }
  | {
      readonly do: "answer" | "ring" | "drop" | "ready" | "break" | "finish" | "remove";
      readonly at: number;
    }
  | { readonly do: "unblock" | "cut" | "allow" | "forbid" | "cannot tell"; readonly at: number }
  | { readonly do: "tick"; readonly count: number }
  | { readonly do: "drain"; readonly windowMs: number };

const at = fc.nat({ max: 7 });
const kinds = fc.array(fc.nat({ max: EVENTS.length - 1 }), { minLength: 1, maxLength: 4 });

function doing<Name extends Action["do"]>(
  ...names: readonly Name[]
): fc.Arbitrary<{ do: Name; at: number }> {
  return fc.record({ do: fc.constantFrom(...names), at });
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), at, kinds }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("open" as const),
      at,
      behind: fc.integer({ min: -2, max: 9 }),
    }),
  },
  {
    weight: 16,
    arbitrary: doing("answer", "answer", "answer", "ring", "ring", "ready", "ready", "drop"),
  },
  { weight: 6, arbitrary: doing("unblock", "unblock", "unblock", "unblock", "cut") },
  { weight: 5, arbitrary: doing("allow", "allow", "allow", "forbid", "cannot tell") },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("tick" as const),
      count: fc.integer({ min: 1, max: 25 }),
    }),
  },
  { weight: 1, arbitrary: doing("break", "finish", "remove") },
);

const drain: fc.Arbitrary<Action> = fc.record({
  do: fc.constant("drain" as const),
  windowMs: fc.nat({ max: 3_000 }),
});

interface Step {
  readonly action: Action;
  /** How many microtasks run before the next one. */
  readonly hops: number;
}

function steps(actions: fc.Arbitrary<Action>, most: number): fc.Arbitrary<readonly Step[]> {
  const step = fc.record({ action: actions, hops: fc.nat({ max: 6 }) });
  return fc.array(step, { minLength: most / 6, maxLength: most, size: "max" });
}

/** Some scripts go on behind a drain, and behind a second one. */
const script: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 2, arbitrary: steps(action, 60) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(steps(action, 42), steps(fc.oneof({ weight: 9, arbitrary: action }, drain), 18))
      .map((parts) => parts.flat()),
  },
);

function isLive({ sink, openState }: Conversation): boolean {
  return openState === "open" && sink.state === "open";
}

/** What holds at every moment. */
function checkNow({ clock, conversations, drainedByMs, streams }: StreamWorld): void {
  const now = clock.now();
  expect(streams.stats().open).toBeLessThanOrEqual(MAX_STREAMS);
  for (const conversation of conversations) {
    const { sink, questions, startedAtMs, askedAtMs, answeredAtMs } = conversation;
    // What is refused is one frame and an end: nobody waits for its transport.
    const refused = sink.frames[0]?.data["type"] === "error";
    if (sink.state === "ended" && !refused)
      expect(now - sink.quietSinceMs).toBeLessThanOrEqual(CLOSE_MS + TICK_MS);
    if (!isLive(conversation)) continue;
    if (sink.fullSinceMs === null)
      expect(now - Math.max(sink.quietSinceMs, startedAtMs)).toBeLessThanOrEqual(HEARTBEAT_MS);
    else expect(now - sink.fullSinceMs).toBeLessThanOrEqual(STALL_MS + TICK_MS);
    expect(now - startedAtMs).toBeLessThanOrEqual(MAX_AGE_MS + TICK_MS);
    const askedByMs = Math.max(askedAtMs + HEARTBEAT_MS, answeredAtMs + TICK_MS);
    if (questions.length === 0) expect(now).toBeLessThanOrEqual(askedByMs);
    // A stream that was being opened when the drain began is told as soon as it can be.
    expect(now).toBeLessThanOrEqual(Math.max(drainedByMs, startedAtMs) + TICK_MS);
  }
}

/** Opens a stream, and expects it to be let in exactly while there is room. */
function open(world: StreamWorld, ownerId: string, behind: number): void {
  const { streams, conversations, logs, drainedByMs } = world;
  const before = streams.stats();
  const own = conversations.filter(
    (one) => one.ownerId === ownerId && one.counted && ["open", "ended"].includes(one.sink.state),
  );
  // One that could not be opened may have left already, or be about to.
  const connected = own.filter(({ sink }) => sink.frames[0]?.data["type"] === "connected");
  const conversation = world.open(ownerId, Math.max(0, (logs.get(ownerId)?.length ?? 0) - behind));
  conversation.counted = streams.stats().opened > before.opened;
  const room = before.open < MAX_STREAMS && drainedByMs === Number.POSITIVE_INFINITY;
  if (conversation.counted)
    expect([room, connected.length < MAX_STREAMS_PER_USER]).toStrictEqual([true, true]);
  else expect(room && own.length < MAX_STREAMS_PER_USER).toBe(false);
}

async function tick(world: StreamWorld, count: number): Promise<void> {
  for (let ticks = 0; ticks < count; ticks++) {
    world.clock.advance(TICK_MS);
    await setImmediate();
    checkNow(world);
  }
}

async function answerQuestion(
  world: StreamWorld,
  conversation: Conversation,
  verdict: Action["do"],
): Promise<void> {
  const question = conversation.questions.shift();
  conversation.answeredAtMs = world.clock.now();
  if (verdict === "forbid") question?.resolve("unauthenticated");
  else if (verdict === "allow") question?.resolve(null);
  else question?.reject(new Error("the session store is down"));
  await setImmediate();
  if (question !== undefined && verdict !== "allow") expect(isLive(conversation)).toBe(false);
}

function unblock({ sink, stream }: Conversation): void {
  if (sink.fullSinceMs === null) return;
  sink.drain();
  stream.drained();
}

function cut({ sink, stream }: Conversation): void {
  sink.cut();
  stream.closed();
}

async function act(world: StreamWorld, one: Action): Promise<void> {
  const { source, conversations } = world;
  const pick = <T>(list: readonly T[]): T | undefined =>
    "at" in one ? list[one.at % list.length] : undefined;
  const ownerId = pick(OWNERS) ?? "ada";
  const conversation = pick(conversations);
  switch (one.do) {
    case "append":
      record(
        world,
        ownerId,
        one.kinds.flatMap((kind) => EVENTS[kind] ?? []),
      );
      break;
    case "finish":
      record(world, ownerId, [newEvent("RUN_COMPLETED")]);
      break;
    case "remove":
      void source.store.deleteRun(ownerId, null);
      break;
    case "open":
      open(world, ownerId, one.behind);
      break;
    case "answer":
      pick(source.reads)?.answer();
      break;
    case "break":
      pick(source.reads)?.reject(FAILURE);
      break;
    case "ring":
      source.rings.splice(one.at % source.rings.length, 1)[0]?.();
      break;
    case "drop":
      source.rings.splice(one.at % source.rings.length, 1);
      break;
    case "ready":
      pick(source.readies)?.resolve();
      break;
    case "unblock":
      if (conversation !== undefined) unblock(conversation);
      break;
    case "cut":
      if (conversation !== undefined) cut(conversation);
      break;
    case "allow":
    case "forbid":
    case "cannot tell":
      if (conversation !== undefined) await answerQuestion(world, conversation, one.do);
      break;
    case "tick":
      await tick(world, one.count);
      break;
    case "drain":
      world.drainedByMs = Math.min(world.drainedByMs, world.clock.now() + one.windowMs);
      world.drains += 1;
      void world.streams.drain(one.windowMs).then(() => (world.drained += 1));
  }
}

/** Ends every run and lets everything go: half the transports close behind the end, the others have to be cut. */
async function settle(world: StreamWorld): Promise<void> {
  const { source, conversations, streams } = world;
  for (const ownerId of OWNERS) record(world, ownerId, [newEvent("RUN_CANCELLED")]);
  for (let round = 0; round < 400 && streams.stats().open > 0; round++) {
    for (const ready of source.readies) ready.resolve();
    for (const read of source.reads.toReversed()) read.answer();
    conversations.forEach((conversation, index) => {
      for (const question of conversation.questions.splice(0)) question.resolve(null);
      conversation.answeredAtMs = world.clock.now();
      unblock(conversation);
      if (conversation.sink.state === "ended" && index % 2 === 0) cut(conversation);
    });
    await tick(world, 1);
  }
}

describe("streams", () => {
  it("W20-W28: under every interleaving each stream is what the wire says, and nothing is left behind", async () => {
    const coin = fc.infiniteStream(
      fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, fc.boolean()),
    );
    const jitter = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(script, coin, jitter, async (acts, coins, jitters) => {
        const world = await createStreamWorld(
          () => coins.next().value === true,
          () => Number(jitters.next().value),
        );
        for (const { action: one, hops } of acts) {
          await act(world, one);
          for (let hop = 0; hop < hops; hop++) await Promise.resolve();
          checkNow(world);
        }
        await settle(world);
        for (const conversation of world.conversations)
          checkConversation(conversation, world.logs.get(conversation.ownerId) ?? []);
        const { open: left, opened, ended } = world.streams.stats();
        const ends = Object.values(ended).reduce((sum, count) => sum + count, 0);
        expect({
          left,
          ends,
          timers: world.clock.timers(),
          watching: world.source.watching(),
        }).toStrictEqual({
          left: 0,
          ends: world.conversations.length,
          timers: 0,
          watching: 0,
        });
        expect(opened).toBe(world.conversations.filter((one) => one.counted).length);
        expect(world.drained).toBe(world.drains);
      }),
      { numRuns: 1_000 },
    );
  });
});
