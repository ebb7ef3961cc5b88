import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Follower } from "../src/follow/follower.ts";
import type { FollowerReader } from "../src/follow/reader-set.ts";
import type { Slice } from "../src/follow/slice.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import type { StoredEvent } from "../src/rules/event.ts";
import { createLosingSource, type LosingSource } from "./losing-source.ts";
import { RUN } from "./run-writes.ts";

/** A reader that takes what there is, and keeps what it had. */
interface Taker extends FollowerReader {
  position: FollowerReader["position"];
  stalled: boolean;
  readonly had: StoredEvent[];
  error: unknown;
}

/** Reads on as long as there is something. */
function createTaker(follower: Follower, had: readonly StoredEvent[]): Taker {
  let isFetching = false;

  function take(slice: Slice): void {
    taker.had.push(...slice.events);
    taker.position = slice.to;
  }

  async function fetch(page: Promise<Slice | null>): Promise<void> {
    isFetching = true;
    try {
      const slice = await page;
      if (slice !== null) take(slice);
    } catch (error) {
      taker.error = error;
    }
    isFetching = false;
    taker.onNotification();
  }

  const taker: Taker = {
    position: null,
    stalled: false,
    had: [...had],
    error: null,
    onNotification() {
      while (!isFetching && !taker.stalled && taker.error === null) {
        try {
          const next = follower.next(taker);
          if (next === null) return;
          if (next instanceof Promise) void fetch(next);
          else take(next);
        } catch (error) {
          taker.error = error;
        }
      }
    },
  };
  return taker;
}

/** A reader that has these events, as of some read, opens. */
async function openTaker(
  source: LosingSource,
  follower: Follower,
  had: readonly StoredEvent[],
): Promise<Taker> {
  const taker = createTaker(follower, had);
  const last = had.at(-1);
  try {
    const opened = follower.open(taker, last?.sequence ?? 0, last?.createdAtMs ?? null);
    opened.catch(() => {});
    await answerAll(source);
    await opened;
    taker.onNotification();
  } catch (error) {
    taker.error = error;
  }
  return taker;
}

async function answerAll(source: LosingSource): Promise<void> {
  await setImmediate();
  while (source.waiting() > 0) {
    source.answer();
    await setImmediate();
  }
}

/** Whether all that a reader had is in the log, at its place. */
function isOf(log: readonly StoredEvent[], { had }: Taker): boolean {
  return had.every((event, at) => log[at]?.createdAtMs === event.createdAtMs);
}

function codeOf({ error }: Taker): unknown {
  return error instanceof RunEventsError ? error.code : error;
}

/** A follower that lives as long as a reader that never fails: one without events. */
async function createFollower(source: LosingSource): Promise<Follower> {
  const follower = new Follower(RUN, source, { left: 2 ** 26 }, () => {});
  const keeper: FollowerReader = { position: null, stalled: false, onNotification() {} };
  const opened = follower.open(keeper, 0);
  await answerAll(source);
  await opened;
  return follower;
}

type Step =
  | { readonly do: "append" | "lose"; readonly count: number }
  | { readonly do: "notify" | "answer" | "wait" }
  | { readonly do: "stall" | "drain"; readonly reader: number }
  | { readonly do: "open"; readonly length: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("append" as const), count: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ do: fc.constant("lose" as const), count: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ do: fc.constantFrom("notify" as const, "answer" as const, "wait" as const) }),
    fc.record({ do: fc.constantFrom("stall" as const, "drain" as const), reader: fc.nat(9) }),
    fc.record({ do: fc.constant("open" as const), length: fc.nat(1_000) }),
  ),
  { minLength: 3, maxLength: 30 },
);

async function perform(
  step: Step,
  source: LosingSource,
  follower: Follower,
  takers: Taker[],
): Promise<void> {
  switch (step.do) {
    case "append":
      return source.append(step.count);
    case "lose":
      return source.lose(Math.max(0, source.log.length - step.count));
    case "notify":
      return source.notify();
    case "answer":
      return source.answer();
    case "wait":
      return setImmediate();
    case "open":
      takers.push(await openTaker(source, follower, source.log.slice(0, step.length)));
      return;
    case "stall":
    case "drain": {
      const taker = takers[step.reader % Math.max(1, takers.length)];
      if (taker === undefined) return;
      taker.stalled = step.do === "stall";
      taker.onNotification();
    }
  }
}

describe("W46: a log that loses its end", () => {
  it("every reader that had a lost event learns of it, no other one does, for any steps between reads", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const source = createLosingSource();
        source.append(3);
        const follower = await createFollower(source);
        const takers: Taker[] = [];
        for (const step of program) await perform(step, source, follower, takers);
        for (const taker of takers) taker.stalled = false;
        for (let round = 0; round < 2; round += 1) {
          source.notify();
          for (const taker of takers) taker.onNotification();
          await answerAll(source);
        }
        for (const taker of takers) {
          const isSame = isOf(source.log, taker);
          expect([isSame, codeOf(taker)]).toStrictEqual([
            isSame,
            isSame ? null : "history_changed",
          ]);
          if (isSame) expect(taker.had).toStrictEqual(source.log);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("a reader that opens with another time of its event is refused, and one past the end too", async () => {
    const source = createLosingSource();
    source.append(5);
    const follower = await createFollower(source);
    const known = source.log;
    source.lose(2);
    expect(codeOf(await openTaker(source, follower, known))).toBe("history_changed");
    source.append(9);
    expect(codeOf(await openTaker(source, follower, known))).toBe("history_changed");
    expect(codeOf(await openTaker(source, follower, known.slice(0, 2)))).toBeNull();
  });
});
