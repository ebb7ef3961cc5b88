import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { type Holding, InFlights } from "../src/bounds/in-flight.ts";
import { RunEventsError } from "../src/rules/errors.ts";

const LIMITS = { maxRequests: 3, maxBytes: 100 };
const NOTHING = { requests: 0, bodyBytes: 0, answerBytes: 0 };
const REFUSAL_MS = 250;
const MOST_REFUSAL_MS = 2_000;
const MOST_READS = 32;

/** Whether the call was refused. @throws any other error */
function refuses(call: () => void): boolean {
  try {
    call();
    return false;
  } catch (error) {
    if (error instanceof RunEventsError && error.code === "too_many_requests") return true;
    throw error;
  }
}

/** A request that has entered, unless it was refused: then `refused` resolves. */
interface Entered {
  readonly user: string;
  readonly holding: Holding;
  body: number;
  answer: number;
  hasFailed: boolean;
  readonly end: PromiseWithResolvers<void>;
  readonly outcome: Promise<unknown>;
}

const step = fc.oneof(
  fc.record({ do: fc.constant("enter" as const), user: fc.constantFrom("ada", "bob") }),
  fc.record({ do: fc.constant("body" as const), at: fc.nat(5), bytes: fc.nat(150) }),
  fc.record({ do: fc.constant("answer" as const), at: fc.nat(5), bytes: fc.nat(150) }),
  fc.record({ do: fc.constant("fail" as const), at: fc.nat(5) }),
  fc.record({ do: fc.constant("leave" as const), at: fc.nat(5) }),
);

it("W49: no user has more in flight than the limits, and a refused, failed or ended request holds nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const inFlights = new InFlights(LIMITS);
      const open: Entered[] = [];
      const enter = (user: string): Entered | null => {
        const holding = inFlights.open();
        const end = Promise.withResolvers<void>();
        let hasBegun = false;
        const entering = holding.enter(user, async () => {
          hasBegun = true;
          await end.promise;
        });
        const outcome = entering.catch((error: unknown) => error);
        return hasBegun
          ? { user, holding, body: 0, answer: 0, hasFailed: false, end, outcome }
          : null;
      };
      for (const one of steps) {
        const before = inFlights.total();
        let refused = false;
        if (one.do === "enter") {
          const mine = open.filter(({ user }) => user === one.user);
          const entered = enter(one.user);
          refused = entered === null;
          expect(refused).toBe(mine.length >= LIMITS.maxRequests);
          if (entered !== null) open.push(entered);
        } else {
          const chosen = open[one.at % Math.max(1, open.length)];
          if (chosen === undefined) continue;
          const { holding } = chosen;
          if (one.do === "leave") {
            chosen.end.resolve();
            holding.leave();
            holding.leave();
            open.splice(open.indexOf(chosen), 1);
          } else if (one.do === "fail") {
            if (chosen.hasFailed) continue;
            chosen.hasFailed = true;
            chosen.end.reject(new Error("failed"));
            await chosen.outcome;
            Object.assign(chosen, { body: 0, answer: 0 });
          } else {
            const name = one.do;
            const others = open.filter((o) => o.user === chosen.user && o !== chosen);
            const held = others.reduce((sum, other) => sum + other[name], 0);
            refused = refuses(() =>
              name === "body" ? holding.holdBody(one.bytes) : holding.holdAnswer(one.bytes),
            );
            // The only one is never too large, and to hold less is never refused.
            const isTooMuch =
              one.bytes > chosen[name] && held > 0 && held + one.bytes > LIMITS.maxBytes;
            expect(refused).toBe(isTooMuch);
            if (!refused) chosen[name] = one.bytes;
            const answers = others.reduce((sum, { answer }) => sum + answer, 0);
            expect(holding.freeForAnswer()).toBe(
              answers === 0 ? Infinity : LIMITS.maxBytes - answers,
            );
            expect(refuses(() => holding.checkAnswers())).toBe(answers >= LIMITS.maxBytes);
          }
        }
        if (refused) expect(inFlights.total()).toEqual(before);
        const sum = (name: "body" | "answer"): number => open.reduce((all, o) => all + o[name], 0);
        expect(inFlights.total()).toEqual({
          requests: open.length,
          bodyBytes: sum("body"),
          answerBytes: sum("answer"),
        });
      }
      for (const { holding, end } of open) {
        end.resolve();
        holding.leave();
      }
      expect(inFlights.total()).toEqual(NOTHING);
      // A user with nothing in flight begins with all that a user may have.
      for (let at = 0; at < LIMITS.maxRequests; at += 1) expect(enter("ada")).not.toBeNull();
    }),
  );
});

it("W49: a refusal rejects after a wait, and the request's bytes are free meanwhile; any other error rejects at once", async () => {
  const inFlights = new InFlights(LIMITS);
  const order: string[] = [];
  const fail = async (code: "too_many_requests" | "not_found"): Promise<void> => {
    const holding = inFlights.open();
    const asked = holding.enter("ada", async () => {
      holding.holdBody(10);
      holding.holdAnswer(10);
      throw new RunEventsError(code, "no");
    });
    await asked.catch(() => order.push(code));
    holding.leave();
  };
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const refused = fail("too_many_requests");
  await fail("not_found");
  expect(inFlights.total()).toEqual({ requests: 1, bodyBytes: 0, answerBytes: 0 });
  await vi.advanceTimersByTimeAsync(REFUSAL_MS - 1);
  expect(order).toEqual(["not_found"]);
  // Refusals are 5 ms apart, so those of the property before it may delay this one.
  await vi.advanceTimersByTimeAsync(MOST_REFUSAL_MS - REFUSAL_MS + 1);
  await refused;
  expect(order).toEqual(["not_found", "too_many_requests"]);
  expect(inFlights.total()).toEqual(NOTHING);
});

const read = fc.record({ owner: fc.constantFrom("ada", "bob"), fails: fc.boolean() });

it("W49: at most 32 reads of a user are under way, in the order of the calls, and one that fails makes room too", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(read, { minLength: 60, maxLength: 90 }),
      async (scheduler, reads) => {
        const inFlights = new InFlights({ maxRequests: 100, maxBytes: 100 });
        const begun: Record<string, number[]> = { ada: [], bob: [] };
        const ended: Record<string, number> = { ada: 0, bob: 0 };
        const outcomes = reads.map(({ owner, fails }, at) => {
          const holding = inFlights.open();
          return holding.enter(owner, () =>
            holding.read(async () => {
              begun[owner]?.push(at);
              await scheduler.schedule(Promise.resolve());
              ended[owner] = (ended[owner] ?? 0) + 1;
              if (fails) throw new Error("failed");
              return at;
            }),
          );
        });
        const settled = Promise.allSettled(outcomes);
        for (let left = true; left;) {
          await setImmediate();
          for (const [owner, mine] of Object.entries(begun)) {
            const all = reads.filter((one) => one.owner === owner).length;
            const over = ended[owner] ?? 0;
            expect(mine.length - over).toBe(Math.min(MOST_READS, all - over));
            expect(mine).toEqual(mine.toSorted((x, y) => x - y));
          }
          left = scheduler.count() > 0;
          if (left) await scheduler.waitOne();
        }
        expect(await settled).toMatchObject(
          reads.map(({ fails }, at) => (fails ? { status: "rejected" } : { value: at })),
        );
      },
    ),
    { numRuns: 5 },
  );
});

it("W49: one piece of a user's large work is under way, and another user's next to it", async () => {
  const inFlights = new InFlights(LIMITS);
  const ends = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const begun: number[] = [];
  const works = ["ada", "ada", "bob"].map((ownerId, at) => {
    const holding = inFlights.open();
    return holding.enter(ownerId, () =>
      holding.alone(async () => {
        begun.push(at);
        await ends[at]?.promise;
      }),
    );
  });
  await setImmediate();
  expect(begun).toEqual([0, 2]);
  ends[0]?.resolve();
  await setImmediate();
  expect(begun).toEqual([0, 2, 1]);
  for (const { resolve } of ends) resolve();
  await Promise.all(works);
});
