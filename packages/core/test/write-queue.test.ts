import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { createWriteQueue, type WriteQueue } from "../src/log/write-queue.ts";
import { appendWrite, ruledWrite, type Write } from "../src/log/write.ts";
import type { AppendOutcome } from "../src/rules/append.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { removalRule } from "../src/rules/run-rules.ts";
import { createDeferred } from "./deferred.ts";
import { createFakeClock } from "./fake-clock.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { createRunWrites, RUN } from "./run-writes.ts";

const MIB = 1_048_576;

/** An append of so many bytes. */
function writeOf(ownerId: string, runId: string, bytes: number): Write<AppendOutcome> {
  const event = newEvent("NOTE", `"${"x".repeat(bytes)}"`);
  return appendWrite(appendRequest([event], { ownerId, runId }));
}

/** A queue over a store one of whose calls is answered when the test says so. */
function createHeldQueue(
  held: "append" | "change",
  memory = createMemoryStore(),
): {
  readonly queue: WriteQueue;
  readonly release: () => void;
} {
  const gate = createDeferred<void>();
  const store: RunEventStore = {
    ...memory,
    async append(plains) {
      if (held === "append") await gate.promise;
      return memory.append(plains);
    },
    async change(changes) {
      if (held === "change") await gate.promise;
      return memory.change(changes);
    },
  };
  return {
    queue: createWriteQueue(store, {
      clock: createFakeClock(),
      isClosing: () => false,
      report: null,
    }),
    release: () => gate.resolve(),
  };
}

it("the write queue refuses an owner who has a quarter of it, but no other owner until the whole is full", async () => {
  const { queue, release } = createHeldQueue("append");
  const adding: Promise<unknown>[] = [];
  const refused: RunEventsError[] = [];
  let at = 0;
  const add = (ownerId: string, bytes: number): void => {
    const added = queue.add(writeOf(ownerId, `r${(at += 1)}`, bytes));
    adding.push(added.catch((error: unknown) => refused.push(error as RunEventsError)));
  };
  add("first", 1);
  await setImmediate();
  for (let count = 0; count < 30; count++) add("ada", MIB);
  await setImmediate();
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["too_many_requests"]));
  expect(refused[0]?.details).toEqual({ retryAfterMs: 1_000 });
  expect(refused.length).toBeGreaterThanOrEqual(13);
  const ofAda = refused.length;
  // Other owners have room, until the queue is full.
  for (let count = 0; count < 10; count++) add("bob", MIB);
  for (let count = 0; count < 30; count++) add(`owner ${count % 4}`, MIB);
  await setImmediate();
  expect(refused).toHaveLength(ofAda);
  for (let count = 0; count < 30; count++) add(`owner ${count % 4}`, MIB);
  add("eve", 1);
  await setImmediate();
  const late = refused.slice(ofAda);
  expect(new Set(late.map(({ code }) => code))).toEqual(new Set(["store_unavailable"]));
  release();
  await Promise.all(adding);
  await queue.idle();
});

it("S2: an append of a run passes the changes of others that take long", async () => {
  const memory = createMemoryStore();
  const writes = createRunWrites(memory);
  await writes.create(RUN);
  await writes.append(appendRequest([newEvent("STARTED")]));
  const { queue, release } = createHeldQueue("change", memory);
  const change = queue.add(ruledWrite({ ...RUN, runId: "other" }, removalRule()));
  await setImmediate();
  expect(await queue.add(writeOf(RUN.ownerId, RUN.runId, 1))).toMatchObject({ lastSequence: 2 });
  release();
  expect(await change).toBe("not_found");
});
