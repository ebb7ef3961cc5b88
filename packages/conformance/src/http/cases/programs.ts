import fc from "fast-check";
import type { HttpCases } from "../http-trial.ts";
import { type Program, runProgram } from "../run-program.ts";

/** A race may show only now and then: once a program has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 3;

const step = fc.record({
  size: fc.integer({ min: 1, max: 4 }),
  /** The number of times that it is sent at once under one key; 0 for no key. */
  keyed: fc.constantFrom(0, 0, 1, 2, 3),
  // One in nine.
  ends: fc.nat(8).map((nth) => nth === 8),
});

const tail = fc.record({ since: fc.nat(3), framesEach: fc.constantFrom(1, 2, 3, 7, 1_000) });

const run = fc.record({
  written: fc.nat(3),
  writers: fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  cancelsAfter: fc.option(fc.nat(6)),
  pollers: fc.array(fc.record({ since: fc.nat(3), limit: fc.integer({ min: 1, max: 5 }) }), {
    maxLength: 3,
  }),
  streams: fc.array(tail, { maxLength: 4 }),
});

const program: fc.Arbitrary<Program> = fc.record({
  runs: fc.array(run, { minLength: 1, maxLength: 3 }),
  together: fc.array(tail, { maxLength: 2 }),
});

/** Cases of W22 and W47 in `WIRE.md`: all clients at the same time. */
export const programs: HttpCases = {
  "W22 in any program of clients at once every reader gets every event once, and one end": async (
    trial,
  ) => {
    await trial.check(program, (one) => runProgram(trial, one), {
      kind: "wirePrograms",
      chances: CHANCES,
    });
  },
};
