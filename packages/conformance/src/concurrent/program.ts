import fc from "fast-check";
import type { LeaseOperation } from "../history/operation.ts";
import { LONG_MS, SHORT_MS } from "../lease.ts";
import { KEYED } from "./keyed.ts";

/** What several clients do at once, as plain data: it can be printed, shrunk and run again. */
export interface Program {
  /** What the first client does before the others begin. */
  readonly prefix: readonly Step[];
  /** What each client then does, one step after the other. */
  readonly branches: readonly (readonly Step[])[];
}

/** One call of a client, or some turns in which it makes none. */
export type Step =
  | { readonly call: "append"; readonly requests: readonly PlannedAppend[] }
  | {
      readonly call: "read";
      readonly run: number;
      readonly from: "start" | "seen";
      readonly limit: number;
    }
  | { readonly call: "head"; readonly run: number }
  | {
      readonly call: "lease";
      readonly run: number;
      readonly asks: LeaseOperation["asks"];
      readonly leaseMs: number;
    }
  | {
      /** Creates an exclusive run of the program's topic with a claim, and writes to it. */
      readonly call: "start";
      readonly run: number;
      readonly leaseMs: number;
      /** Who then ends it, if it is granted; `null` to leave it live. */
      readonly endedBy: "worker" | "owner" | null;
    }
  | { readonly call: "pause"; readonly turns: number };

/** One request of an append. */
export interface PlannedAppend {
  readonly run: number;
  /** The types of its events. */
  readonly events: readonly string[];
  /** A key that others use too. It decides the events under it, so that it comes again with the same ones. */
  readonly key: string | null;
  /** `seen`: the last head that the client saw. */
  readonly expected: "seen" | number | null;
  /** `worker`: under the fence that the client was given last, if it was given one. */
  readonly by: "anybody" | "worker" | "owner" | "input";
}

/** How a program's client asks about a lease. */
export const leaseStep: fc.Arbitrary<Step> = fc.record({
  call: fc.constant("lease" as const),
  run: fc.constantFrom(0, 0, 0, 1),
  asks: fc.constantFrom<LeaseOperation["asks"][]>("claim", "claim", "renew", "release"),
  leaseMs: fc.constantFrom(SHORT_MS, SHORT_MS, LONG_MS),
});

/** How many runs a program has from its beginning. */
export const PROGRAM_RUNS = 2;
/** How many more it may start: all of one topic, one at a time. */
const STARTED_RUNS = 4;

/** How a program's client starts a run. */
export const startStep: fc.Arbitrary<Step> = fc.record({
  call: fc.constant("start" as const),
  run: fc.nat(STARTED_RUNS - 1).map((at) => PROGRAM_RUNS + at),
  leaseMs: fc.constantFrom(SHORT_MS, LONG_MS),
  endedBy: fc.constantFrom("worker" as const, "worker" as const, "owner" as const, null),
});

/** How a program ends a run that no worker may be working on. */
export function endAppend(run: fc.Arbitrary<number>): fc.Arbitrary<PlannedAppend> {
  return fc.record({
    run,
    events: fc.constant(["RUN_FAILED"]),
    key: fc.constant(null),
    expected: fc.constant(null),
    by: fc.constant("owner" as const),
  });
}

/** Mostly the first: clients meet at a run, and one run shows nothing about the other. */
const run = fc.constantFrom(0, 0, 0, 1);
const plainEvents = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(["TOKEN"], ["TOKEN", "TOKEN"], ["TOKEN", "TOKEN", "TOKEN"]),
  },
  { weight: 4, arbitrary: fc.constantFrom(["PHASE_STARTED"], ["TOKEN", "PHASE_STARTED"]) },
  { weight: 4, arbitrary: fc.constantFrom(["INPUT_REQUESTED"], ["TOKEN", "INPUT_REQUESTED"]) },
  { weight: 1, arbitrary: fc.constantFrom(["RUN_CANCELLED"], ["TOKEN", "RUN_FAILED"]) },
);
const expected = fc.oneof(
  { weight: 6, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constant("seen" as const) },
  { weight: 1, arbitrary: fc.nat(4) },
);
/** Who appends mostly does as it may. */
const by = fc.constantFrom(
  "worker" as const,
  "worker" as const,
  "worker" as const,
  "anybody" as const,
);
const plannedAppend: fc.Arbitrary<PlannedAppend> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ run, events: plainEvents, key: fc.constant(null), expected, by }),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ run, key: fc.constantFrom("k", "k", "k", "l", "l", "end"), expected, by })
      .map((planned) => ({ ...planned, events: KEYED[planned.key] ?? [] })),
  },
  // Another client's events under the key.
  {
    weight: 1,
    arbitrary: fc.record({
      run,
      events: plainEvents,
      key: fc.constantFrom("k", "l"),
      expected,
      by,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      run,
      events: fc.constant(["INPUT_RECEIVED"]),
      key: fc.constantFrom(null, null, "i"),
      expected,
      by: fc.constant("input" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      run,
      events: fc.constant(["RUN_CANCELLED"]),
      key: fc.constant(null),
      expected: fc.constant(null),
      by: fc.constant("owner" as const),
    }),
  },
  { weight: 1, arbitrary: endAppend(run) },
);
/** Any step. */
export const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      call: fc.constant("append" as const),
      requests: fc.array(plannedAppend, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      call: fc.constant("read" as const),
      run,
      from: fc.constantFrom("start" as const, "seen" as const),
      limit: fc.constantFrom(1, 2, 1_000, 1_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ call: fc.constant("head" as const), run }) },
  { weight: 2, arbitrary: leaseStep },
  { weight: 2, arbitrary: startStep },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant("pause" as const),
      turns: fc.integer({ min: 1, max: 20 }),
    }),
  },
);

/** Programs of two to four clients. */
export const programArbitrary: fc.Arbitrary<Program> = fc.record({
  prefix: fc.array(stepArbitrary, { maxLength: 3 }),
  branches: fc.array(fc.array(stepArbitrary, { minLength: 1, maxLength: 8, size: "max" }), {
    minLength: 2,
    maxLength: 4,
  }),
});
