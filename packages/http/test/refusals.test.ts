import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createRefusals, type Refusals } from "@tm/run-events-core/wire";
import { createHandler, type Identity } from "../src/index.ts";
import { createManualClock } from "./harness/manual-clock.ts";

const BURST = 32;
const PACE_MS = 5;
const OWNERS = ["ada", "bob", "eve"] as const;

interface Answered {
  readonly owner: string;
  readonly place: number;
  readonly atMs: number;
  readonly waited: boolean;
}

const refusal = fc.record({
  owner: fc.constantFrom(...OWNERS),
  afterMs: fc.nat({ max: 8 }),
  isGone: fc.boolean(),
});

it("W49: 32 refusals are answered at once, then one every 5 ms; owners take turns, and a client that has gone takes none", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(refusal, { minLength: 20, maxLength: 120 }), async (all) => {
      const clock = createManualClock();
      const refusals = createRefusals(clock);
      const answered: Answered[] = [];
      const step = async (): Promise<void> => {
        clock.advance(1);
        for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
      };
      for (const [place, { owner, afterMs, isGone }] of all.entries()) {
        for (let ms = 0; ms < afterMs; ms += 1) await step();
        const cameMs = clock.now();
        void refusals
          .wait(owner, () => isGone)
          .then(() => {
            const atMs = clock.now();
            if (!isGone) answered.push({ owner, place, atMs, waited: atMs > cameMs });
          });
        await Promise.resolve();
      }
      for (let ms = 0; ms < all.length * PACE_MS; ms += 1) await step();
      expect(answered.length).toBe(all.filter(({ isGone }) => !isGone).length);
      for (const [from, first] of answered.entries())
        for (const [more, last] of answered.slice(from).entries())
          expect(more).toBeLessThanOrEqual(BURST + (last.atMs - first.atMs) / PACE_MS);
      for (const owner of OWNERS) {
        const mine = answered.filter((one) => one.owner === owner);
        const places = mine.map(({ place }) => place);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        // While an owner's refusal waits, each other owner has one turn before it.
        for (const [at, one] of mine.entries()) {
          const before = mine[at - 1];
          if (before === undefined || !one.waited || before.atMs < one.atMs - 3 * PACE_MS) continue;
          const between = answered
            .slice(answered.indexOf(before) + 1, answered.indexOf(one))
            .filter(({ waited }) => waited);
          expect(new Set(between.map((other) => other.owner)).size).toBe(between.length);
        }
      }
    }),
  );
});

it("W49: no timer runs when no refusal waits", async () => {
  const clock = createManualClock();
  const refusals = createRefusals(clock);
  const waits = Array.from({ length: BURST + 3 }, () => refusals.wait("ada", () => false));
  expect(clock.timers()).toBe(1);
  clock.advance(4 * PACE_MS);
  await Promise.all(waits);
  expect(clock.timers()).toBe(0);
});

it("W49: refusals beyond 8,192 that wait are answered at once: a place is a connection's memory", async () => {
  const refusals = createRefusals(createManualClock());
  const answered = { count: 0 };
  for (let at = 0; at < BURST + 8_192 + 10; at += 1)
    void refusals.wait("ada", () => false).then(() => (answered.count += 1));
  await Promise.resolve();
  expect(answered.count).toBe(BURST + 10);
});

/** Counts those of this many refusals that have been answered. */
function countAnswered(refusals: Refusals, owner: string, count: number): { count: number } {
  const answered = { count: 0 };
  for (let at = 0; at < count; at += 1)
    void refusals.wait(owner, () => false).then(() => (answered.count += 1));
  return answered;
}

it.each([
  [5, 1],
  [100, 20],
  [10_000, 32],
])(
  "W49: a turn of the event loop of %i ms answers %i refusals, so a busy server keeps the pace",
  async (turnMs, expected) => {
    let now = 0;
    let tick = (): void => {};
    const refusals = createRefusals({
      now: () => now,
      every(_, task) {
        tick = task;
        return () => {};
      },
    });
    const answered = countAnswered(refusals, "ada", 200);
    now += turnMs;
    tick();
    await Promise.resolve();
    expect(answered.count).toBe(BURST + expected);
  },
);

it("W49: after a flood of more refusals than may wait, the first 32 of any user are answered at once again", async () => {
  const clock = createManualClock();
  const refusals = createRefusals(clock);
  countAnswered(refusals, "ada", BURST + 8_192 + 10_000);
  clock.advance((8_192 + BURST) * PACE_MS);
  const answered = countAnswered(refusals, "bob", BURST);
  await Promise.resolve();
  expect(answered.count).toBe(BURST);
});

it("W27, W49: a server that shuts down answers the refusals that wait, and later ones at once", async () => {
  const clock = createManualClock();
  const refusals = createRefusals(clock);
  const waiting = countAnswered(refusals, "ada", 500);
  refusals.release();
  const later = countAnswered(refusals, "bob", 500);
  await Promise.resolve();
  expect([waiting.count, later.count, clock.timers()]).toEqual([500, 500, 0]);
});

it("W27, W49: `drain` answers the refusals that wait", async () => {
  const runs = createRunEvents({ store: createMemoryStore(), clock: createManualClock() });
  onTestFinished(() => runs.close());
  const identity: Identity = { userId: "ada", credential: "bearer" };
  const handler = createHandler({ runs, maxRequestsPerUser: 0, authenticate: () => identity });
  const asked = Array.from({ length: 100 }, () =>
    handler.fetch(new Request("http://localhost/v1/agent-runs")),
  );
  await handler.drain(0);
  expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([429]));
});

it("W49: an answer that is refused when it is made waits as well, since it cost a read", async () => {
  const clock = createManualClock();
  const runs = createRunEvents({ store: createMemoryStore(), clock });
  onTestFinished(() => runs.close());
  const identity: Identity = { userId: "ada", credential: "bearer" };
  const handler = createHandler({ runs, maxBytesPerUser: 150_000, authenticate: () => identity });
  await runs.create({ ownerId: "ada", runId: "r" });
  await runs.as("ada").append("r", [{ eventType: "NOTE", payload: "x".repeat(100_000) }]);
  const ask = (): Promise<Response> =>
    handler.fetch(new Request("http://localhost/v1/agent-runs/r/events"));
  const unread = await ask();
  const statuses: number[] = [];
  const all = Array.from({ length: 60 }, async () => statuses.push((await ask()).status));
  for (let turn = 0; turn < 100; turn += 1) await setImmediate();
  expect(statuses).toEqual(Array(BURST).fill(429));
  clock.advance(60 * PACE_MS);
  await Promise.all(all);
  expect(statuses).toEqual(Array(60).fill(429));
  await unread.body?.cancel();
  expect(handler.stats().inFlight).toEqual({
    requests: 0,
    uploads: 0,
    bodyBytes: 0,
    answerBytes: 0,
  });
});

it("W49: a user who ignores 429 waits for the answers, and another user's are not delayed", async () => {
  const clock = createManualClock();
  const runs = createRunEvents({ store: createMemoryStore(), clock });
  onTestFinished(() => runs.close());
  const { fetch } = createHandler({
    runs,
    maxRequestsPerUser: 1,
    authenticate: ({ headers }): Identity => ({
      userId: headers.get("authorization") ?? "",
      credential: "bearer",
    }),
  });
  const ask = async (userId: string): Promise<number> => {
    const headers = { authorization: userId };
    return (await fetch(new Request("http://localhost/v1/agent-runs", { headers }))).status;
  };
  const statuses: number[] = [];
  const all = Array.from({ length: 60 }, async () => statuses.push(await ask("ada")));
  expect(await ask("bob")).toBe(200);
  expect(statuses.filter((status) => status === 429)).toHaveLength(BURST);
  clock.advance(60 * PACE_MS);
  await Promise.all(all);
  expect(statuses.filter((status) => status === 429)).toHaveLength(59);
});
