import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rounds } from "./rounds.ts";
import { checkConversation } from "./check-conversation.ts";
import { newEvent } from "./run-record.ts";
import { play, streamActions, tick } from "./stream-actions.ts";
import {
  createStreamWorld,
  cut,
  OWNERS,
  record,
  type StreamWorld,
  unblock,
} from "./stream-world.ts";

/** Ends every run and all streams: half the transports close after the end, the others have to be cut. */
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

function expectNothingLeft({
  streams,
  clock,
  source,
  conversations,
  drains,
  drained,
}: StreamWorld): void {
  const { open, opened, ended } = streams.stats();
  // Each conversation is admitted or refused, and ends in one way.
  const ends = Object.values(ended).reduce((sum, count) => sum + count, 0);
  expect({
    open,
    opened,
    ends,
    drained,
    timers: clock.timers(),
    subscriptions: source.subscriptions(),
  }).toStrictEqual({
    open: 0,
    opened: conversations.filter((one) => one.counted).length,
    ends: conversations.length,
    drained: drains,
    timers: 0,
    subscriptions: 0,
  });
}

describe("the streams of a process", () => {
  it("W20-W28: under every interleaving each stream is as the wire says, and nothing remains", async () => {
    const coins = fc.infiniteStream(
      fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, fc.boolean()),
    );
    const jitters = fc.infiniteStream(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    );
    await fc.assert(
      fc.asyncProperty(streamActions, coins, jitters, async (script, coin, jitter) => {
        const world = await createStreamWorld(
          () => coin.next().value === true,
          () => Number(jitter.next().value),
        );
        await play(world, script);
        await settle(world);
        for (const conversation of world.conversations)
          checkConversation(conversation, world.logs.get(conversation.ownerId) ?? []);
        expectNothingLeft(world);
      }),
      { numRuns: rounds(600) },
    );
  });
});
