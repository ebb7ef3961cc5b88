import { RunEventsError } from "../src/rules/errors.ts";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createInFlights, type Holding } from "../src/bounds/in-flight.ts";

const LIMITS = { maxRequests: 3, maxUploads: 2, maxBytes: 100 };
const NOTHING = { requests: 0, uploads: 0, bodyBytes: 0, answerBytes: 0 };

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

const step = fc.oneof(
  fc.record({ do: fc.constant("enter" as const), user: fc.constantFrom("ada", "bob") }),
  fc.record({ do: fc.constant("upload" as const), at: fc.nat(5) }),
  fc.record({ do: fc.constant("body" as const), at: fc.nat(5), bytes: fc.nat(150) }),
  fc.record({ do: fc.constant("answer" as const), at: fc.nat(5), bytes: fc.nat(150) }),
  fc.record({ do: fc.constant("leave" as const), at: fc.nat(5) }),
);

it("W49: no user has more in flight than the limits, and a refused or ended request holds nothing", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const inFlights = createInFlights(LIMITS);
      const open: {
        readonly user: string;
        readonly holding: Holding;
        body: number;
        answer: number;
      }[] = [];
      for (const one of steps) {
        const before = inFlights.total();
        let refused = false;
        if (one.do === "enter") {
          const holding = inFlights.open();
          const mine = open.filter(({ user }) => user === one.user);
          refused = refuses(() => holding.enter(one.user));
          expect(refused).toBe(mine.length >= LIMITS.maxRequests);
          if (!refused) open.push({ user: one.user, holding, body: 0, answer: 0 });
        } else {
          const chosen = open[one.at % Math.max(1, open.length)];
          if (chosen === undefined) continue;
          const others = open
            .filter(({ user }) => user === chosen.user)
            .filter((o) => o !== chosen);
          if (one.do === "leave") {
            chosen.holding.leave();
            open.splice(open.indexOf(chosen), 1);
          } else if (one.do === "upload") {
            refused = refuses(() => chosen.holding.beginUpload());
          } else {
            const name = one.do;
            const held = others.reduce((sum, other) => sum + other[name], 0);
            const { holding } = chosen;
            refused = refuses(() =>
              name === "body" ? holding.holdBody(one.bytes) : holding.holdAnswer(one.bytes),
            );
            // The only one is never too large, and to hold less is never refused.
            const isTooMuch =
              one.bytes > chosen[name] && held > 0 && held + one.bytes > LIMITS.maxBytes;
            expect(refused).toBe(isTooMuch);
            if (!refused) chosen[name] = one.bytes;
          }
        }
        if (refused) expect(inFlights.total()).toEqual(before);
        const sum = (name: "body" | "answer"): number => open.reduce((all, o) => all + o[name], 0);
        expect(inFlights.total()).toMatchObject({
          requests: open.length,
          bodyBytes: sum("body"),
          answerBytes: sum("answer"),
        });
        expect(inFlights.total().uploads).toBeLessThanOrEqual(2 * LIMITS.maxUploads);
      }
      for (const { holding } of open) holding.leave();
      for (const { holding } of open) holding.leave();
      expect(inFlights.total()).toEqual(NOTHING);
    }),
    { numRuns: 500 },
  );
});

it("W49: a request whose user is not known yet holds nothing of anyone", () => {
  const inFlights = createInFlights(LIMITS);
  const holding = inFlights.open();
  holding.holdBody(1_000);
  holding.holdAnswer(1_000);
  holding.checkAnswers();
  expect(inFlights.total()).toEqual(NOTHING);
  holding.leave();
  expect(inFlights.total()).toEqual(NOTHING);
});
