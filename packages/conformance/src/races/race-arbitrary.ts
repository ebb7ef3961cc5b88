import fc from "fast-check";
import { LISTED_OWNER, type Race, type RaceAppend, type RaceStep } from "./race.ts";

/** Mostly the first: clients meet at one run. */
const runId = fc.constantFrom("a", "a", "a", "a", "b", "c");
const anyRunId = fc.constantFrom("a", "b", "c");
const topic = fc.constantFrom("tea", "tea", "tea", null);
const ended = fc.constantFrom("owner" as const, "anybody" as const, "worker" as const);
const write = { runId, key: fc.constant(null), expected: fc.constant(null) };

const raceAppend: fc.Arbitrary<RaceAppend> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      runId,
      eventTypes: fc.constantFrom(["TOKEN"], ["TOKEN", "TOKEN"], ["INPUT_REQUESTED"]),
      key: fc.constantFrom(null, null, "k"),
      expected: fc.constantFrom(null, null, "seen" as const, 0),
      by: fc.constantFrom("worker" as const, "worker" as const, "anybody" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ ...write, eventTypes: fc.constant(["RUN_CANCELLED"]), by: ended }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...write,
      eventTypes: fc.constant(["INPUT_RECEIVED"]),
      by: fc.constant("input" as const),
    }),
  },
);

const createStep: fc.Arbitrary<RaceStep> = fc.record({
  call: fc.constant("createRun" as const),
  runId: anyRunId,
  ownerId: fc.constantFrom(LISTED_OWNER, LISTED_OWNER, LISTED_OWNER, "bob"),
  topic,
  exclusive: fc.constantFrom(true, true, false),
  claims: fc.constantFrom("keyed" as const, "plainly" as const, "not" as const, "not" as const),
});

const deleteStep: fc.Arbitrary<RaceStep> = fc.record({
  call: fc.constant("deleteRun" as const),
  runId,
});

/** Two requests of a call that meet. */
function ofOneRun([first, second, one]: readonly [RaceAppend, RaceAppend, string]): RaceAppend[] {
  return [
    { ...first, runId: one },
    { ...second, runId: one },
  ];
}

const raceStep: fc.Arbitrary<RaceStep> = fc.oneof(
  { weight: 4, arbitrary: createStep },
  {
    weight: 6,
    arbitrary: fc.record({
      call: fc.constant("append" as const),
      requests: fc.oneof(
        { weight: 3, arbitrary: raceAppend.map((one) => [one]) },
        { weight: 2, arbitrary: fc.tuple(raceAppend, raceAppend, runId).map(ofOneRun) },
        { weight: 1, arbitrary: fc.tuple(raceAppend, raceAppend) },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant("read" as const),
      runId,
      from: fc.constantFrom("start" as const, "seen" as const),
      limit: fc.constantFrom(1, 1_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constant("claim" as const),
      runId,
      claimKey: fc.constantFrom(null, "c"),
      length: fc.constant("long" as const),
    }),
  },
  { weight: 2, arbitrary: deleteStep },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant("endDue" as const),
      runId,
      kind: fc.constantFrom("leased", "leased", "queued", "running", "running", "waiting"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constantFrom("getRun" as const, "renew" as const, "release" as const),
      runId,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant("purge" as const),
      limit: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant("listRuns" as const),
      topic,
      runStatus: fc.constantFrom("live" as const, "running" as const, "cancelled" as const, null),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant("pause" as const),
      turns: fc.integer({ min: 1, max: 20 }),
    }),
  },
);

/** What the first client may do besides, alone. */
const firstStep: fc.Arbitrary<RaceStep> = fc.oneof(
  { weight: 3, arbitrary: raceStep },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant("claim" as const),
      runId,
      claimKey: fc.constant(null),
      length: fc.constant("short" as const),
    }),
  },
);

/** Creates the run that most steps are about. It may have the place of its topic. */
const firstCreation: fc.Arbitrary<RaceStep> = fc.record({
  call: fc.constant("createRun" as const),
  runId: fc.constant("a"),
  ownerId: fc.constant(LISTED_OWNER),
  topic: fc.constantFrom("tea", null),
  exclusive: fc.boolean(),
  claims: fc.constant("not" as const),
});

/** What ends a run, removes it, and creates it again under its id. */
const lifeStep: fc.Arbitrary<RaceStep> = fc.oneof(
  { weight: 4, arbitrary: deleteStep.map((step) => ({ ...step, runId: "a" }) as RaceStep) },
  { weight: 4, arbitrary: createStep.map((step) => ({ ...step, runId: "a" }) as RaceStep) },
  { weight: 1, arbitrary: fc.constant<RaceStep>({ call: "purge", limit: 1 }) },
  {
    weight: 1,
    arbitrary: raceAppend.map((one): RaceStep => ({
      call: "append",
      requests: [{ ...one, runId: "a" }],
    })),
  },
  {
    weight: 2,
    arbitrary: fc.constant<RaceStep>({ call: "read", runId: "a", from: "start", limit: 1_000 }),
  },
  { weight: 1, arbitrary: fc.constant<RaceStep>({ call: "getRun", runId: "a" }) },
);
const end: RaceStep = {
  call: "append",
  requests: [
    { runId: "a", eventTypes: ["TOKEN", "RUN_CANCELLED"], key: "end", expected: null, by: "owner" },
  ],
};

/** What takes the place of a topic, and what gives it back. */
const placeStep: fc.Arbitrary<RaceStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: createStep.map(
      (step) => ({ ...step, ownerId: LISTED_OWNER, topic: "tea", exclusive: true }) as RaceStep,
    ),
  },
  {
    weight: 3,
    arbitrary: anyRunId.map((one): RaceStep => ({
      call: "append",
      requests: [
        { runId: one, eventTypes: ["RUN_CANCELLED"], key: null, expected: null, by: "owner" },
      ],
    })),
  },
  { weight: 1, arbitrary: anyRunId.map((one): RaceStep => ({ call: "getRun", runId: one })) },
);

/** Calls with several requests, of one run or of two. */
const manyStep: fc.Arbitrary<RaceStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(raceAppend, { minLength: 2, maxLength: 3 }).map((requests): RaceStep => ({
      call: "append",
      requests: requests.map((one) => ({ ...one, runId: one.runId === "a" ? "a" : "b" })),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("a", "b").map((one): RaceStep => ({ call: "getRun", runId: one })),
  },
);
const createB: RaceStep = {
  call: "createRun",
  runId: "b",
  ownerId: LISTED_OWNER,
  topic: null,
  exclusive: false,
  claims: "not",
};

/** Races of two or three clients: with any calls, or about the lives of one run, about the place of a topic, or in calls of many requests. */
export const raceArbitrary: fc.Arbitrary<Race> = fc.oneof(
  {
    weight: 3,
    arbitrary: raceOf(
      fc.array(firstStep, { maxLength: 4 }),
      fc.array(raceStep, { minLength: 1, maxLength: 4, size: "max" }),
    ),
  },
  {
    weight: 2,
    arbitrary: raceOf(
      fc.constant([end]),
      fc.array(lifeStep, { minLength: 1, maxLength: 4, size: "max" }),
    ),
  },
  {
    weight: 1,
    arbitrary: raceOf(
      fc.constantFrom([], [end]),
      fc.array(placeStep, { minLength: 1, maxLength: 3, size: "max" }),
    ),
  },
  {
    weight: 1,
    arbitrary: raceOf(
      fc.constant([createB]),
      fc.array(manyStep, { minLength: 1, maxLength: 3, size: "max" }),
    ),
  },
);

function raceOf(
  begun: fc.Arbitrary<RaceStep[]>,
  branch: fc.Arbitrary<RaceStep[]>,
): fc.Arbitrary<Race> {
  return fc.record({
    prefix: fc.tuple(firstCreation, begun).map(([first, others]) => [first, ...others]),
    branches: fc.array(branch, { minLength: 2, maxLength: 3 }),
  });
}
