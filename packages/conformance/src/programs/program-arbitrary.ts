import fc from "fast-check";
import type { NewEvent } from "@tm/run-events-core/store";
import { event } from "../append-request.ts";
import type { RaceStep } from "../races/race.ts";
import * as steps from "../races/step-arbitrary.ts";
import { type Program, type ProgramStep, shownProgram } from "./program.ts";
import { spellings } from "./spelling.ts";

/** The runs that a program creates. */
export const RUNS = ["a", "b", "c"] as const;

const { constantFrom } = fc;
const is = <const T>(value: T): fc.Arbitrary<T> => fc.constant(value);

/** Few names, batches and keys, so that they meet often. Mostly one owner, so that calls may do what they ask for. */
const ownerId = constantFrom("ada", "ada", "ada", "ada", "ada", "ada", "ada", "bob");
const oneRun = constantFrom("a", "a", "a", "b");
const anyRun = constantFrom(...RUNS);
/** A few more, so that two runs of one owner meet in a topic. */
const newRun = constantFrom("a", "a", "b", "c");
const topic = fc.option(constantFrom("tea", "Tea"), { nil: null, freq: 2 });
const key = fc.option(constantFrom("k", "l"), { nil: null, freq: 2 });

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
/** Only an input has this event, and it has no other. */
const inputs = constantFrom([event("INPUT_RECEIVED", "1")], [event("INPUT_RECEIVED", '"yes"')]);
const ends = constantFrom([event("RUN_CANCELLED")], [event("TOKEN"), event("RUN_COMPLETED")]);

/** Appends that may land are frequent: nothing happens to a run that refuses all. */
const by = fc.oneof(
  { weight: 6, arbitrary: is("anybody") },
  { weight: 4, arbitrary: is("worker") },
  { weight: 2, arbitrary: constantFrom("late", "late", "owner") },
);
const expected = fc.oneof(
  { weight: 4, arbitrary: is(null) },
  { weight: 2, arbitrary: is("seen") },
  { weight: 1, arbitrary: fc.oneof(fc.nat(6), constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER)) },
);
const appended = fc.oneof(
  steps.request({ batch: inputs, by: is("input"), expected, key }),
  steps.request({ batch: batches, by, expected, key }),
  // The same events again and again, so that keys come again with their own.
  steps.request({ batch: likeBatches, by, key: constantFrom("k", "k", "k", "l", null) }),
);
const ending = steps.request({ batch: ends, by: constantFrom("owner", "owner", "worker") });

const claimed = {
  length: constantFrom("long", "short"),
  claimKey: constantFrom("claim-1", "claim-1", "claim-2", null, null),
  worker: constantFrom(null, "w-1", "w-2"),
};
const aged = fc.record({
  runId: newRun,
  age: constantFrom("any", "any", "exact", "over", "long"),
});
const { dueKinds: due, purgeLimit: limit } = steps;
const watches = fc.oneof(
  fc.record({ call: is("subscribe"), to: is("run"), runId: newRun }),
  fc.record({ call: is("subscribe"), to: is("owner"), runId: is("a"), ownerId }),
);

/** Steps about the runs that most are about. */
const OF_RUN = {
  append: steps.appends(appended, 3),
  end: steps.appends(ending),
  read: steps.reads(3),
  head: steps.head,
  remove: steps.removal,
  claim: steps.stepOf("claim", { runId: newRun, ...claimed }),
  renew: steps.stepOf("renew", { runId: newRun, fence: steps.fence, length: claimed.length }),
  release: steps.release,
  reap: steps.ending,
};
/** Steps about all runs, or a new one. */
const OTHERS = {
  create: steps.create({
    runId: newRun,
    ownerId,
    topic,
    metadata: constantFrom("null", '{"b":1.0,"a":"\\u0000"}'),
    exclusive: fc.boolean(),
    claim: fc.option(fc.record(claimed), { nil: null, freq: 2 }),
  }),
  list: steps.list({ ownerId, topic }),
  due: steps.stepOf("listDue", { due, limit: constantFrom(1, 1, 2, 1_000), aged }),
  purge: steps.stepOf("purge", { limit, aged }),
  watch: watches,
  leave: is({ call: "stop" }),
  tick: is({ call: "tick" }),
  probe: is({ call: "probe" }),
  reopen: is({ call: "reopen" }),
};

/** Every step that a program may have. @param runIds which run most of them are about */
function stepArbitraries(runIds: fc.Arbitrary<string>): Record<Kind, fc.Arbitrary<ProgramStep>> {
  const ofRun = (step: fc.Arbitrary<RaceStep>): fc.Arbitrary<ProgramStep> =>
    fc
      .tuple(fc.record({ runId: runIds, ownerId }), step)
      .map(([name, one]) => steps.about(name, one));
  const mapped = Object.entries(OF_RUN).map(([kind, step]) => [kind, ofRun(step)] as const);
  return {
    ...OTHERS,
    ...(Object.fromEntries(mapped) as Record<keyof typeof OF_RUN, fc.Arbitrary<ProgramStep>>),
  };
}

type Kind = keyof typeof OF_RUN | keyof typeof OTHERS;

const LEASED: readonly Kind[] = ["renew", "release", "tick"];
const DUE: readonly Kind[] = ["due", "reap", "purge"];

/** The theme of a program: which runs it begins with and mostly asks for, which steps it has, and how often each. */
interface Theme {
  readonly weight: number;
  readonly begins: readonly string[];
  /** The subscriptions that it begins with. */
  readonly watches?: readonly ProgramStep[];
  /** The most steps after that. Default {@link MOST_STEPS}. */
  readonly most?: number;
  readonly runIds: fc.Arbitrary<string>;
  /** By how often each is drawn. */
  readonly kinds: Readonly<Record<number, readonly Kind[]>>;
}

/** Any steps, a run's leases, the lives of runs, what is due, a run's log, lists, ends, or what subscriptions are notified of. Programs of few kinds come to states that one of all hardly reaches. */
const THEMES: readonly Theme[] = [
  {
    weight: 4,
    begins: ["a"],
    runIds: oneRun,
    kinds: {
      4: ["append"],
      3: ["create", "read"],
      2: ["claim"],
      1: [...LEASED, ...DUE, "end", "head", "list", "remove", "watch", "leave", "probe", "reopen"],
    },
  },
  {
    weight: 2,
    begins: ["a"],
    runIds: oneRun,
    kinds: {
      3: ["claim"],
      2: ["append", "renew", "create"],
      1: ["release", "head", "due", "tick", "reopen", "end", "remove"],
    },
  },
  {
    weight: 2,
    begins: ["a", "b", "c"],
    runIds: oneRun,
    kinds: {
      3: ["create", "append"],
      2: ["end", "remove", "list", "read", "watch"],
      1: ["purge", "leave", "tick"],
    },
  },
  {
    weight: 2,
    begins: ["a", "b", "c"],
    runIds: anyRun,
    kinds: {
      4: ["claim"],
      3: ["due"],
      2: ["end", "tick", "reap"],
      1: ["create", "append", "release", "purge"],
    },
  },
  {
    weight: 2,
    begins: ["a"],
    runIds: oneRun,
    kinds: { 3: ["append"], 2: ["read"], 1: ["head", "reopen"] },
  },
  {
    weight: 2,
    begins: ["a", "b", "c"],
    runIds: anyRun,
    kinds: { 4: ["list"], 2: ["create", "append"], 1: ["end", "remove"] },
  },
  {
    weight: 1,
    begins: ["a", "b", "c"],
    runIds: anyRun,
    kinds: { 3: ["end", "tick"], 2: ["purge", "due", "create"], 1: ["reap"] },
  },
  {
    weight: 2,
    begins: ["a", "b", "c"],
    watches: [
      { call: "subscribe", to: "run", runId: "a" },
      { call: "subscribe", to: "run", runId: "b" },
      { call: "subscribe", to: "owner", runId: "a" },
    ],
    // Where a notification takes some time, a program with many of them takes long.
    most: 12,
    runIds: anyRun,
    kinds: { 4: ["append"], 2: ["create", "end"], 1: ["remove", "purge", "leave"] },
  },
];

/** The most steps of a program, after those that create the runs which most of them are about. */
const MOST_STEPS = 40;

/** Programs of all themes. */
export function programArbitrary(canReopen: boolean): fc.Arbitrary<Program> {
  const programs = THEMES.map(
    ({ weight, begins, watches: first = [], most = MOST_STEPS, runIds, kinds }) => {
      const all = stepArbitraries(runIds);
      const drawn = Object.entries(kinds).map(([times, named]) => {
        const possible = named.filter((kind) => canReopen || kind !== "reopen");
        const weighted = Number(times) * possible.length;
        return { weight: weighted, arbitrary: fc.oneof(...possible.map((kind) => all[kind])) };
      });
      const created = begins.map(firstStep);
      // The default size would make programs too short to come to anything.
      const rest = fc.array(fc.oneof(...drawn), { maxLength: most, size: "max" });
      return { weight, arbitrary: rest.map((program) => [...first, ...created, ...program]) };
    },
  );
  return fc
    .tuple(spellings, fc.oneof(...programs))
    .map(([spelling, steps]) => shownProgram({ spelling, steps }));
}

/** Creates a run that a program begins with. One has a topic, whose place is free once it has ended. */
function firstStep(runId: string): ProgramStep {
  const topic = runId === "a" ? "tea" : null;
  return { call: "createRun", runId, metadata: "null", topic, exclusive: false, claim: null };
}
