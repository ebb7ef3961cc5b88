import fc from "fast-check";
import { STATUSES } from "@tm/run-events-core/wire";
import type { Length } from "../model/judge-lease.ts";
import type { RaceAppend, RaceRun, RaceStep } from "./race.ts";

type Step = fc.Arbitrary<RaceStep>;

const { constantFrom } = fc;
export const is = <const T>(value: T): fc.Arbitrary<T> => fc.constant(value);

/** Mostly the first: clients meet at one run. */
export const runId: fc.Arbitrary<string> = constantFrom("a", "a", "a", "a", "b", "c");
/** Few names and keys, so that they meet often. */
const ownerId: fc.Arbitrary<string> = constantFrom("ada", "ada", "ada", "ada", "ada", "bob");
export const topic: fc.Arbitrary<string | null> = constantFrom("tea", "tea", "Tea", null);
const key = constantFrom(null, null, "k", "l");
const expected = fc.oneof(
  { weight: 3, arbitrary: is(null) },
  { weight: 2, arbitrary: is("seen") },
  { weight: 1, arbitrary: fc.oneof(fc.nat(6), constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER)) },
);
const by = constantFrom<RaceAppend["by"][]>(
  ...(["anybody", "anybody", "anybody", "worker", "worker", "worker", "owner", "late"] as const),
);
const fence = constantFrom("last", "last", "last", "last", "late", "next");

/** A call whose other members are drawn. */
export function stepOf(
  call: RaceStep["call"],
  drawn: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): Step {
  return fc.record({ call: is(call), ...drawn }) as unknown as Step;
}

type Drawn<Of> = { readonly [Field in keyof Of]?: fc.Arbitrary<Of[Field]> };

/** A request of an append: by anybody, without conditions, unless something else is drawn. */
export function request(drawn: Drawn<RaceAppend>): fc.Arbitrary<RaceAppend> {
  const plain = { eventTypes: is(["TOKEN"]), key: is(null), expected: is(null), by: is("anybody") };
  return fc.record({ runId, ...plain, ...drawn } as never);
}

/** A call of one request or more. */
export function appends(one: fc.Arbitrary<RaceAppend>, most = 1): Step {
  return stepOf("append", { requests: fc.array(one, { minLength: 1, maxLength: most }) });
}

/** A request with conditions, under which it may or may not land. */
export function conditional(drawn: Drawn<RaceAppend>): fc.Arbitrary<RaceAppend> {
  return request({ key, expected, by, ...drawn });
}

type CommonKind =
  | ("create" | "read" | "head" | "remove" | "claim" | "renew" | "release")
  | ("reap" | "list" | "due" | "purge");

/** The steps that races and programs have. @param lengths the times that leases are asked for */
export function commonSteps(
  lengths: readonly Length[],
  claimKey: fc.Arbitrary<string | null>,
): Readonly<Record<CommonKind, Step>> {
  const length = constantFrom(...lengths);
  const claimed = { claimKey, length, worker: constantFrom(null, "w-1", "w-2") };
  return {
    create: stepOf("createRun", {
      runId,
      ownerId,
      topic,
      metadata: constantFrom(undefined, undefined, "null", '{"b":1.0,"a":"\\u0000"}'),
      exclusive: fc.boolean(),
      claim: fc.option(fc.record(claimed), { freq: 2 }),
    }),
    read: stepOf("read", {
      queries: fc.array(
        fc.record({
          runId,
          from: constantFrom("start", 0, 0, -1, -3, -9, 2),
          limit: constantFrom(1, 3, 7, 1_000, 1_000),
          maxBytes: fc.oneof(is(1_000_000), fc.integer({ min: 1, max: 2_500 })),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    head: stepOf("getRun", { runId }),
    remove: stepOf("deleteRun", { runId }),
    claim: stepOf("claim", { runId, ...claimed }),
    renew: stepOf("renew", { runId, fence, length }),
    release: stepOf("release", { runId, fence }),
    reap: stepOf("endDue", {
      runId,
      kind: constantFrom("leased", "leased", "queued", "running", "running", "waiting"),
      age: constantFrom("any", "any", "any", "long"),
    }),
    list: stepOf("listRuns", {
      ownerId,
      topic,
      runStatus: constantFrom("live", "live", "live", null, null, ...STATUSES),
      limit: constantFrom(1, 2, 3, 100),
    }),
    due: stepOf("listDue", {
      due: constantFrom("leased", "leased", "queued", "running", "waiting", "finished"),
      limit: constantFrom(1, 1, 2, 1_000),
    }),
    purge: stepOf("purge", { limit: fc.integer({ min: 1, max: 3 }) }),
  };
}

/** Steps of a theme. @param weights the kinds by how often each is drawn */
export function drawn<Kind extends string, One>(
  steps: Readonly<Record<Kind, fc.Arbitrary<One>>>,
  weights: Weights<Kind>,
): fc.Arbitrary<One> {
  const all = Object.entries<readonly Kind[]>(weights).flatMap(([weight, kinds]) =>
    kinds.map((kind) => ({ weight: Number(weight), arbitrary: steps[kind] })),
  );
  return fc.oneof(...all) as fc.Arbitrary<One>;
}

/** Kinds of steps, by how often each is drawn. */
export type Weights<Kind extends string> = Readonly<Record<number, readonly Kind[]>>;

/** The step with all that it asks for about this run, or of this owner. */
export function about<One extends { readonly call: string }>(
  name: Partial<RaceRun>,
  step: One | RaceStep,
): One | RaceStep {
  if ("requests" in step) {
    return { ...step, requests: step.requests.map((one) => ({ ...one, ...name })) };
  }
  if ("queries" in step) {
    return { ...step, queries: step.queries.map((one) => ({ ...one, ...name })) };
  }
  return "runId" in step ? { ...step, ...name } : step;
}
