import fc from "fast-check";
import { expect, it } from "vitest";
import { EndedSessions } from "../src/ended-sessions.ts";
import type { Session } from "../src/session.ts";
import { countSteps } from "./count-steps.ts";

function sessionOf(userId: string, sessionId: number, expiresAtMs: number): Session {
  return { userId, sessionId: `${sessionId}`, tokenMark: "mark", expiresAtMs };
}

it("W29: a session that was ended never works again, and ends another only if the user ended more than 1,000, of which 500 expire later", () => {
  const asked = fc.array(
    fc.record({
      userId: fc.constantFrom("ada", "ada", "ada", "bob"),
      expiresAtMs: fc.integer({ min: 1, max: 5_000 }),
      isEnded: fc.boolean(),
    }),
    { minLength: 1_000, maxLength: 5_000, size: "max" },
  );
  fc.assert(
    fc.property(asked, (all) => {
      const ended = new EndedSessions();
      const sessions = all.map(({ userId, expiresAtMs, isEnded }, at) => ({
        session: sessionOf(userId, at, expiresAtMs),
        isEnded,
      }));
      for (const { session, isEnded } of sessions) if (isEnded) ended.add(session);
      for (const [, mine] of Map.groupBy(sessions, ({ session }) => session.userId)) {
        const expiries = mine
          .filter(({ isEnded }) => isEnded)
          .map(({ session }) => session.expiresAtMs)
          .toSorted((a, b) => b - a);
        const mayEndMs = expiries.length > 1_000 ? (expiries[500] ?? 0) : 0;
        for (const { session, isEnded } of mine) {
          if (isEnded) expect(ended.has(session)).toBe(true);
          else if (session.expiresAtMs > mayEndMs) expect(ended.has(session)).toBe(false);
        }
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

it("W29: the end of a session costs the same however many were ended before", () => {
  const ended = new EndedSessions();
  const steps = countSteps();
  let at = 0;
  const stepsOf = (count: number): number => {
    const before = steps();
    for (const last = at + count; at < last; at++) ended.add(sessionOf("ada", at, at));
    return steps() - before;
  };
  stepsOf(1_000);
  const first = stepsOf(1_000);
  // Each end takes a few steps, and does not leave more of them to the next one.
  expect(first / 1_000).toBeLessThan(10);
  stepsOf(20_000);
  expect(stepsOf(1_000)).toBeLessThanOrEqual(first * 2);
});
