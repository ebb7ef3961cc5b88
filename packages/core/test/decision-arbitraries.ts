import fc from "fast-check";
import { appendRule } from "../src/rules/append-rule.ts";
import type { AppendRequest } from "../src/rules/append.ts";
import type { Rule } from "../src/rules/decision.ts";
import type { NewEvent } from "../src/rules/event.ts";
import { claimRule, releaseRule, renewRule } from "../src/rules/lease-rules.ts";
import { createRule, dueRule, removalRule } from "../src/rules/run-rules.ts";

/** The one run that the programs of these laws are about. */
export const NAME = { ownerId: "ada", runId: "run" };

/** Times and fences are few, so that they meet. */
const ms = fc.integer({ min: 0, max: 40 });
const workers = fc.constantFrom(null, "w");
const fence = fc.integer({ min: 0, max: 3 });

const types = fc.oneof(
  { arbitrary: fc.constant("TOKEN"), weight: 16 },
  { arbitrary: fc.constantFrom("INPUT_REQUESTED", "RUN_COMPLETED"), weight: 3 },
);
const events: fc.Arbitrary<readonly NewEvent[]> = fc
  .array(types, { minLength: 1, maxLength: 3 })
  .map((names) => {
    const end = names.indexOf("RUN_COMPLETED");
    return names.slice(0, end === -1 ? names.length : end + 1).map((eventType, at): NewEvent => ({
      eventType,
      payload: String(at),
      phase: at === 1 ? '"phase"' : null,
    }));
  });

/** The fence that a run has got depends on the time of its claim, so it is given when the step is taken. */
export type FenceOf = (nth: number) => number;

/** An append by anybody, a worker, the owner or as an input. */
export const appends: fc.Arbitrary<(fenceOf: FenceOf) => AppendRequest & typeof NAME> = fc
  .record({
    events,
    by: fc.constantFrom("anybody", "worker", "owner", "input"),
    fence,
    idempotencyKey: fc.constantFrom(null, null, "key", "other"),
    expectedSequence: fc.oneof({ arbitrary: fc.constant(null), weight: 4 }, fc.nat(4)),
  })
  .map(({ by, fence: nth, events: batch, ...conditions }) => (fenceOf) => {
    const given: readonly NewEvent[] =
      by === "input" ? [{ eventType: "INPUT_RECEIVED", payload: "1", phase: null }] : batch;
    const appender =
      by === "worker" ? ({ by, fence: fenceOf(nth) } as const) : { by: by as "anybody" };
    return { ...NAME, ...conditions, events: given, appender };
  });

/** One step of a program on the run, as a rule. */
export type Step = (fenceOf: FenceOf) => Rule<unknown>;

const creations: fc.Arbitrary<Step> = fc
  .record({
    resumable: fc.boolean(),
    exclusive: fc.boolean(),
    claim: fc.constantFrom(null, { leaseMs: 5, claimKey: "a", worker: "w" }),
  })
  .map((run) => () => createRule({ ...NAME, ...run, topic: "tea", metadata: "1" }));

/** Any step. */
export const steps: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: appends.map((append) => (of: FenceOf) => appendRule(append(of))), weight: 6 },
  fc
    .record({ leaseMs: ms, claimKey: fc.constantFrom("a", "b"), worker: workers })
    .map((claim) => () => claimRule({ ...NAME, ...claim })),
  fc.record({ leaseMs: ms, fence }).map(
    ({ leaseMs, fence: nth }) =>
      (of: FenceOf) =>
        renewRule({ ...NAME, leaseMs, fence: of(nth) }),
  ),
  fence.map((nth) => (of: FenceOf) => releaseRule({ ...NAME, fence: of(nth) })),
  fc
    .record({ kind: fc.constantFrom("leased", "queued", "running", "waiting"), limitMs: ms })
    .map((limit) => () => dueRule(limit)),
  creations,
  fc.constantFrom(0, 0, 5).map((ms) => () => removalRule(ms)),
);

/** Steps, each after some time has passed. The clock may be set back. */
export type Program = readonly (readonly [passedMs: number, step: Step])[];

const passed = fc.integer({ min: -2, max: 8 });
const start = fc.tuple(passed, creations);

/** A program. Most begin with the creation of the run. */
export const programs: fc.Arbitrary<Program> = fc
  .tuple(fc.option(start, { freq: 9 }), fc.array(fc.tuple(passed, steps), { maxLength: 25 }))
  .map(([first, more]) => (first === null ? more : [first, ...more]));
