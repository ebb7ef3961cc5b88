import fc from "fast-check";
import { STATUSES } from "@tm/run-events-core/wire";
import type { DueKind } from "../core-calls.ts";
import {
  LISTED_OWNER,
  type RaceAppend,
  type RaceClaim,
  type RaceRun,
  type RaceStep,
  RUN_IDS,
} from "./race.ts";

type StepOf<Call extends RaceStep["call"]> = Extract<RaceStep, { readonly call: Call }>;

/** Those of a list: mostly the live ones. */
const LISTED_STATUSES = ["live", "live", "live", null, null, ...STATUSES] as const;

/** Mostly the first: clients meet at one run. */
const runId = fc.constantFrom("a", "a", "a", "a", "b", "c");
const anyRunId = fc.constantFrom(...RUN_IDS);
const topic = fc.constantFrom("tea", "tea", "tea", null);
const is = <T>(value: T): fc.Arbitrary<T> => fc.constant(value);

/** The fields of a step that are drawn. */
type Drawn<Call extends RaceStep["call"]> = {
  readonly [Field in keyof StepOf<Call>]?: fc.Arbitrary<StepOf<Call>[Field]>;
};

/** A step with what it leaves open drawn. */
export function stepOf<Call extends RaceStep["call"]>(
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
  by: fc.constantFrom("worker", "worker", "worker", "anybody", "anybody", "owner"),
});

export const create = (drawn: Drawn<"createRun"> = {}): fc.Arbitrary<RaceStep> =>
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
export const place = (drawn: Drawn<"createRun"> = {}): fc.Arbitrary<RaceStep> =>
  create({ ownerId: is(LISTED_OWNER), topic: is("tea"), exclusive: is(true), ...drawn });

export const claim = (...lengths: readonly RaceClaim["length"][]): fc.Arbitrary<RaceStep> =>
  stepOf("claim", {
    runId,
    claimKey: fc.constantFrom(null, "c", "own"),
    length: fc.constantFrom(...lengths),
  });

/** A claim whose lease is over when the step is. A key could get it a lease that is not. */
export const expiredClaim: fc.Arbitrary<RaceStep> = stepOf("claim", {
  runId,
  claimKey: is(null),
  length: is("short"),
});

export const reads = (most: number): fc.Arbitrary<RaceStep> =>
  stepOf("read", {
    queries: fc.array(
      fc.record({
        runId,
        from: fc.constantFrom("start" as const, 0, 0, -1, -3, -9, 2),
        limit: fc.constantFrom(1, 3, 7, 1_000, 1_000),
        maxBytes: fc.oneof(is(1_000_000), fc.integer({ min: 1, max: 2_500 })),
      }),
      { minLength: 1, maxLength: most },
    ),
  });
export const read: fc.Arbitrary<RaceStep> = reads(1);

/** The last one mostly. */
export const fence: fc.Arbitrary<"last" | "late" | "next"> = fc.constantFrom(
  "last",
  "last",
  "last",
  "last",
  "late",
  "next",
);
export const head: fc.Arbitrary<RaceStep> = stepOf("getRun", { runId });
export const renewal: fc.Arbitrary<RaceStep> = stepOf("renew", { runId, fence });
export const release: fc.Arbitrary<RaceStep> = stepOf("release", { runId, fence });
export const removal: fc.Arbitrary<RaceStep> = stepOf("deleteRun", { runId });

export const ending: fc.Arbitrary<RaceStep> = stepOf("endDue", {
  runId,
  kind: fc.constantFrom("leased", "leased", "queued", "running", "running", "waiting"),
  age: fc.constantFrom("any", "any", "any", "long"),
});

/** What a run may wait for. */
export const dueKinds: fc.Arbitrary<DueKind> = fc.constantFrom(
  "leased",
  "leased",
  "queued",
  "running",
  "waiting",
  "finished",
);
export const due: fc.Arbitrary<RaceStep> = stepOf("listDue", { due: dueKinds });
export const purgeLimit: fc.Arbitrary<number> = fc.integer({ min: 1, max: 3 });
export const purge: fc.Arbitrary<RaceStep> = stepOf("purge", { limit: purgeLimit });

export const list = (drawn: Drawn<"listRuns"> = {}): fc.Arbitrary<RaceStep> =>
  stepOf("listRuns", {
    topic,
    runStatus: fc.constantFrom(...LISTED_STATUSES),
    limit: fc.constantFrom(1, 2, 3, 100),
    ...drawn,
  });

export const pause: fc.Arbitrary<RaceStep> = stepOf("pause", {
  turns: fc.oneof(fc.constant(0), fc.nat(20)),
});

/** Steps by how often each is drawn. */
export function weighted(
  ...steps: readonly (readonly [weight: number, step: fc.Arbitrary<RaceStep>])[]
): fc.Arbitrary<RaceStep> {
  return fc.oneof(...steps.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** The step about the run that most steps are about. */
export function ofFirst(step: fc.Arbitrary<RaceStep>): fc.Arbitrary<RaceStep> {
  return step.map((one) => about({ runId: "a" }, one));
}

/** The step about any run, each as likely. */
export function ofAny(step: fc.Arbitrary<RaceStep>): fc.Arbitrary<RaceStep> {
  return fc.tuple(anyRunId, step).map(([one, other]) => about({ runId: one }, other));
}

/** The step with all that it asks for about this run, or of this owner. */
export function about(name: Partial<RaceRun>, step: RaceStep): RaceStep {
  if (step.call === "append") {
    return { ...step, requests: step.requests.map((one) => ({ ...one, ...name })) };
  }
  if (step.call === "read") {
    return { ...step, queries: step.queries.map((one) => ({ ...one, ...name })) };
  }
  return "runId" in step ? { ...step, ...name } : step;
}
