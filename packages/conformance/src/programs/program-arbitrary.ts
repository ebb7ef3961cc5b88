import fc from "fast-check";
import type { NewEvent } from "@tm/run-events-core/store";
import { event } from "../append-request.ts";
import * as steps from "../races/steps.ts";
import { plainly } from "../races/themes.ts";
import { type Program, type ProgramStep, shownProgram } from "./program.ts";
import { spellings } from "./spelling.ts";

/** The runs that a program creates. */
export const RUNS = ["a", "b", "c"] as const;

const { constantFrom } = fc;
const { appends, conditional, is, request } = steps;

const batches: fc.Arbitrary<readonly NewEvent[]> = constantFrom(
  [event("RUN_STARTED")],
  [event("TOKEN", "1.0")],
  [event("TOKEN", '"é\u{1f600}"'), event("TOKEN", "2"), event("TOKEN", "[]")],
  [event("PHASE_STARTED", '{"phase":"plan"}')],
  [event("TOKEN"), event("PHASE_STARTED", '{"phase":"\\u0000"}'), event("TOKEN")],
  [event("PHASE_STARTED", '{"phase":"a"}'), event("PHASE_STARTED", '{"phase":"b"}')],
  [event("TOKEN"), event("RUN_COMPLETED")],
  [event("RUN_CANCELLED")],
  [event("INPUT_REQUESTED", '"?"')],
  [event("INPUT_REQUESTED", "{}")],
  [event("TOKEN", ' {"a" : 1e400, "a":-0.0}'), event("TOKEN", '"\\ud800\u2028"')],
  [event("TOKEN", `"${"é".repeat(66_000)}"`)],
  [event("TOKEN"), event("INPUT_REQUESTED"), event("PHASE_STARTED", '{"phase":"c"}')],
  Array.from({ length: 9 }, (_, at) =>
    event(at === 4 ? "PHASE_STARTED" : "TOKEN", `{"phase":"${at}"}`),
  ),
);
/** Batches that a store may take for the same under a key: mostly the same, which is a replay. */
const likeBatches: fc.Arbitrary<readonly NewEvent[]> = constantFrom(
  ...Array.from({ length: 6 }, () => [event("TOKEN", "0"), event("TOKEN", "1")]),
  [event("TOKEN", "0"), event("TOKEN", "1"), event("TOKEN", "2")],
  [event("TOKEN", "0"), event("TOKEN", "3"), event("TOKEN", "2")],
  [event("TOKEN", "0"), event("OTHER", "1")],
  [event("TOKEN0TOKEN", "1")],
  [event("TOKEN", `"${"x".repeat(5_000)}"`)],
  [event("TOKEN", `"${"x".repeat(4_999)}y"`)],
);
const inputs = constantFrom([event("INPUT_RECEIVED", "1")], [event("INPUT_RECEIVED", '"yes"')]);
const ends = constantFrom([event("RUN_CANCELLED")], [event("TOKEN"), event("RUN_COMPLETED")]);

const appended = fc.oneof(
  conditional({ batch: inputs, by: is("input") }),
  conditional({ batch: batches }),
  // The same events again and again, so that keys come again with their own.
  conditional({
    batch: likeBatches,
    expected: is(null),
    key: constantFrom("k", "k", "k", "l", null),
  }),
);
const ending = request({ batch: ends, by: constantFrom("owner", "owner", "worker") });

/** The steps of programs, by kind. */
const STEPS = {
  ...steps.commonSteps(["long", "short"], constantFrom("c", "c", "d", null, null)),
  append: appends(appended, 3),
  end: appends(ending),
  watch: fc.record({ call: is("subscribe"), to: constantFrom("run", "owner"), runId: steps.runId }),
  leave: is({ call: "stop" }),
  tick: is({ call: "tick" }),
  probe: is({ call: "probe" }),
  reopen: is({ call: "reopen" }),
} as const;

/** The theme of a program. */
interface Theme {
  readonly weight: number;
  /** The runs that it begins with, and the subscriptions. */
  readonly begins: readonly ProgramStep[];
  /** The most steps after that. Default {@link MOST_STEPS}. */
  readonly most?: number;
  /** The runs that its steps name. Default: mostly the first. */
  readonly runId?: fc.Arbitrary<string>;
  readonly kinds: steps.Weights<keyof typeof STEPS>;
}

/** A run with a topic, whose place is free once the run has ended. */
const FIRST: ProgramStep = { ...plainly("a"), topic: "tea" } as ProgramStep;
/** Runs under all names, also those that another spelling makes look alike. */
const ALL: readonly ProgramStep[] = [
  FIRST,
  { ...plainly("a"), ownerId: "bob" } as ProgramStep,
  { ...plainly("b"), topic: "Tea" } as ProgramStep,
  plainly("c"),
];
const anyRun = constantFrom(...RUNS);

/** Any steps, a run's leases, the lives of runs, what is due, a run's log, lists, ends, or what subscriptions are notified of. Programs of few kinds come to states that one of all hardly reaches. */
const THEMES: readonly Theme[] = [
  {
    weight: 4,
    begins: [FIRST],
    kinds: {
      4: ["append"],
      3: ["create", "read"],
      2: ["claim"],
      1: [
        ...(["renew", "release", "tick", "due", "reap", "purge", "end", "head"] as const),
        ...(["list", "remove", "watch", "leave", "probe", "reopen"] as const),
      ],
    },
  },
  {
    weight: 2,
    begins: [FIRST],
    kinds: {
      3: ["claim"],
      2: ["append", "renew", "create"],
      1: ["release", "head", "due", "tick", "reopen", "end", "remove"],
    },
  },
  {
    weight: 2,
    begins: ALL,
    kinds: {
      3: ["create", "append"],
      2: ["end", "remove", "list", "read", "watch"],
      1: ["purge", "leave", "tick"],
    },
  },
  {
    weight: 2,
    begins: ALL,
    runId: anyRun,
    kinds: {
      4: ["claim"],
      3: ["due"],
      2: ["end", "tick", "reap"],
      1: ["create", "append", "release", "purge"],
    },
  },
  { weight: 2, begins: [FIRST], kinds: { 3: ["append"], 2: ["read"], 1: ["head", "reopen"] } },
  {
    weight: 2,
    begins: ALL,
    runId: anyRun,
    kinds: { 4: ["list"], 2: ["create", "append"], 1: ["end", "remove"] },
  },
  {
    weight: 1,
    begins: ALL,
    runId: anyRun,
    kinds: { 3: ["end", "tick"], 2: ["purge", "due", "create"], 1: ["reap"] },
  },
  {
    weight: 2,
    begins: [
      { call: "subscribe", to: "run", runId: "a" },
      { call: "subscribe", to: "run", runId: "b" },
      { call: "subscribe", to: "owner", runId: "a" },
      ...ALL,
    ],
    // Where a notification takes some time, a program with many of them takes long.
    most: 12,
    runId: anyRun,
    kinds: { 4: ["append"], 2: ["create", "end"], 1: ["remove", "purge", "leave"] },
  },
];

/** The most steps of a program, after those that create the runs which most of them are about. */
const MOST_STEPS = 40;

/** Mostly one owner, so that most calls find their run. */
const owners = fc.oneof({ weight: 7, arbitrary: is("ada") }, { weight: 1, arbitrary: is("bob") });

/** Programs of all themes. */
export function programArbitrary(canReopen: boolean): fc.Arbitrary<Program> {
  const all = canReopen ? STEPS : { ...STEPS, reopen: STEPS.tick };
  const programs = THEMES.map(
    ({ weight, begins, most = MOST_STEPS, runId = steps.runId, kinds }) => {
      const step = fc
        .tuple(fc.record({ runId, ownerId: owners }), steps.drawn<string, ProgramStep>(all, kinds))
        .map(([name, one]) => steps.about(name, one));
      // The default size would make programs too short to come to anything.
      const rest = fc.array(step, { maxLength: most, size: "max" });
      return { weight, arbitrary: rest.map((drawn) => [...begins, ...drawn]) };
    },
  );
  return fc
    .tuple(spellings, fc.oneof(...programs))
    .map(([spelling, all]) => shownProgram({ spelling, steps: all }));
}
