import fc from "fast-check";
import { LISTED_OWNER, type RaceAppend, type RaceClaim, type RaceStep, RUN_IDS } from "./race.ts";

type StepOf<Call extends RaceStep["call"]> = Extract<RaceStep, { readonly call: Call }>;

/** Mostly the first: clients meet at one run. */
const runId = fc.constantFrom("a", "a", "a", "a", "b", "c");
const anyRunId = fc.constantFrom(...RUN_IDS);
const topic = fc.constantFrom("tea", "tea", "tea", null);
const is = <T>(value: T): fc.Arbitrary<T> => fc.constant(value);

/** A step with what it leaves open drawn, and the rest as it is most of the time. */
function stepOf<Call extends RaceStep["call"]>(
  call: Call,
  drawn: {
    readonly [Field in keyof Omit<StepOf<Call>, "call">]: fc.Arbitrary<StepOf<Call>[Field]>;
  },
): fc.Arbitrary<RaceStep> {
  return fc.record({ call: is(call), ...drawn }) as unknown as fc.Arbitrary<RaceStep>;
}

/** A request of an append: by anybody, without conditions, unless something else is drawn. */
export function request(drawn: {
  readonly [Field in keyof RaceAppend]?: fc.Arbitrary<RaceAppend[Field]>;
}): fc.Arbitrary<RaceAppend> {
  const plain = { eventTypes: is(["TOKEN"]), key: is(null), expected: is(null), by: is("anybody") };
  return fc.record({ runId, ...plain, ...drawn } as never);
}

/** A call of one request or more. */
export function appends(one: fc.Arbitrary<RaceAppend>, most = 1): fc.Arbitrary<RaceStep> {
  return fc
    .array(one, { minLength: 1, maxLength: most })
    .map((requests): RaceStep => ({ call: "append", requests }));
}

/** Whole batches, some of which change the phase or the status. */
export const batches: fc.Arbitrary<readonly string[]> = fc.constantFrom(
  ["TOKEN"],
  ["TOKEN", "TOKEN", "TOKEN"],
  ["PHASE_STARTED"],
  ["TOKEN", "PHASE_STARTED", "TOKEN"],
  ["INPUT_REQUESTED"],
  ["TOKEN", "INPUT_REQUESTED"],
);

/** An answer to a question. */
export const input = (key: RaceAppend["key"] = null): fc.Arbitrary<RaceAppend> =>
  request({ eventTypes: is(["INPUT_RECEIVED"]), by: is("input"), key: is(key) });

/** The end of a run. */
export const end = (by: readonly RaceAppend["by"][]): fc.Arbitrary<RaceAppend> =>
  request({
    eventTypes: fc.constantFrom(["RUN_CANCELLED"], ["TOKEN", "RUN_FAILED"]),
    by: fc.constantFrom(...by),
  });

/** An append with conditions, which may land. */
export const conditional: fc.Arbitrary<RaceAppend> = request({
  eventTypes: batches,
  key: fc.constantFrom(null, null, "k", "l"),
  expected: fc.constantFrom(null, null, "seen" as const, "seen" as const, 0, 3),
  by: fc.constantFrom("worker", "worker", "anybody"),
});

export const create = (
  drawn: {
    readonly [Field in keyof StepOf<"createRun">]?: fc.Arbitrary<StepOf<"createRun">[Field]>;
  } = {},
): fc.Arbitrary<RaceStep> =>
  stepOf("createRun", {
    runId: anyRunId,
    ownerId: fc.constantFrom(LISTED_OWNER, LISTED_OWNER, LISTED_OWNER, "bob"),
    topic,
    exclusive: fc.constantFrom(true, true, false),
    claim: fc.constantFrom<(RaceClaim | null)[]>(
      { claimKey: "c", length: "long" },
      { claimKey: null, length: "long" },
      null,
      null,
    ),
    ...drawn,
  });

/** Creates an exclusive run of the topic. */
export const place = (drawn: Parameters<typeof create>[0] = {}): fc.Arbitrary<RaceStep> =>
  create({ ownerId: is(LISTED_OWNER), topic: is("tea"), exclusive: is(true), ...drawn });

export const claim = (...lengths: readonly RaceClaim["length"][]): fc.Arbitrary<RaceStep> =>
  stepOf("claim", {
    runId,
    claimKey: fc.constantFrom(null, "c", "own"),
    length: fc.constantFrom(...lengths),
  });

/** A claim whose lease is over when the step is. A key could get it a lease that is not. */
export const expiredClaim: fc.Arbitrary<RaceStep> = runId.map((one) => ({
  call: "claim",
  runId: one,
  claimKey: null,
  length: "short",
}));

export const read: fc.Arbitrary<RaceStep> = stepOf("read", {
  runId,
  from: fc.constantFrom("start", "seen"),
  limit: fc.constantFrom(1, 3, 1_000, 1_000),
});

export const head: fc.Arbitrary<RaceStep> = fc.record({ call: is("getRun" as const), runId });
export const renewal: fc.Arbitrary<RaceStep> = fc.record({ call: is("renew" as const), runId });
export const release: fc.Arbitrary<RaceStep> = fc.record({ call: is("release" as const), runId });
export const removal: fc.Arbitrary<RaceStep> = fc.record({ call: is("deleteRun" as const), runId });

export const ending: fc.Arbitrary<RaceStep> = stepOf("endDue", {
  runId,
  kind: fc.constantFrom("leased", "leased", "queued", "running", "running", "waiting"),
});

export const due: fc.Arbitrary<RaceStep> = stepOf("listDue", {
  due: fc.constantFrom("leased", "queued", "running", "waiting", "finished"),
});

export const purge: fc.Arbitrary<RaceStep> = stepOf("purge", {
  limit: fc.integer({ min: 1, max: 3 }),
});

export const list: fc.Arbitrary<RaceStep> = stepOf("listRuns", {
  topic,
  runStatus: fc.constantFrom("live", "running", "cancelled", null),
});

export const pause: fc.Arbitrary<RaceStep> = stepOf("pause", {
  turns: fc.integer({ min: 1, max: 20 }),
});

/** Steps by how often each is drawn. */
export function weighted(
  ...steps: readonly (readonly [weight: number, step: fc.Arbitrary<RaceStep>])[]
): fc.Arbitrary<RaceStep> {
  return fc.oneof(...steps.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** The step about the run that most steps are about. */
export function ofFirst(step: fc.Arbitrary<RaceStep>): fc.Arbitrary<RaceStep> {
  return step.map((one) => about("a", one));
}

/** The step about any run, each as likely. */
export function ofAny(step: fc.Arbitrary<RaceStep>): fc.Arbitrary<RaceStep> {
  return fc.tuple(anyRunId, step).map(([one, other]) => about(one, other));
}

function about(id: string, step: RaceStep): RaceStep {
  if (step.call === "append") {
    return { ...step, requests: step.requests.map((one) => ({ ...one, runId: id })) };
  }
  return "runId" in step ? { ...step, runId: id } : step;
}
