import fc from "fast-check";
import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import { appendedOf, type Draft, notes } from "../draft.ts";
import type { HttpCases, HttpTrial } from "../http-trial.ts";
import { type AppendedEvent, assertDelivery } from "../judge-delivery.ts";
import { follow, followMany, pollToEnd } from "../readers.ts";
import { keyed, receiptOf, type WireRun } from "../wire-run.ts";
import type { WireUser } from "../wire-user.ts";
import type { ValueOf } from "../value-of.ts";

/** A race may show only now and then: once a program has failed, each smaller one gets this many chances to fail too. */
const CHANCES = 3;

const step = fc.record({
  size: fc.integer({ min: 1, max: 4 }),
  /** The number of times that it is sent at once under one key; 0 for once without a key. */
  keyed: fc.constantFrom(0, 0, 1, 2, 3),
  // One in nine.
  ends: fc.nat(8).map((nth) => nth === 8),
});

/** A reader of streams, which goes away and comes back after this many frames. */
const tail = fc.record({ since: fc.nat(3), framesEach: fc.constantFrom(1, 2, 3, 7, 1_000) });

/** The clients of one run. */
const plan = fc.record({
  /** The number of events that the run has before they begin. Readers start at or before its end. */
  written: fc.nat(3),
  /** The writers. Each makes its appends one after the other. */
  writers: fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  /** The number of reads before a client cancels the run; `null` if it never does. */
  cancelsAfter: fc.option(fc.nat(6)),
  pollers: fc.array(fc.record({ since: fc.nat(3), limit: fc.integer({ min: 1, max: 5 }) }), {
    maxLength: 3,
  }),
  streams: fc.array(tail, { maxLength: 4 }),
});

/** The calls that several clients make at once. */
const program = fc.record({
  runs: fc.array(plan, { minLength: 1, maxLength: 3 }),
  /** Readers that follow all runs on one stream. */
  together: fc.array(tail, { maxLength: 2 }),
});

type Plan = ValueOf<typeof plan>;

/** Cases of W22 and W47 in `WIRE.md`: all clients at the same time. */
export const programs: HttpCases = {
  "W22 in any program of clients at once every reader gets every event once, and one end": async (
    trial,
  ) => {
    const manner = { kind: "wirePrograms", chances: CHANCES } as const;
    await trial.check(program, (one) => runProgram(trial, one), manner);
  },
};

/** A run, and the events that are known to be in its log. */
interface Begun {
  readonly plan: Plan;
  readonly run: WireRun;
  readonly log: AppendedEvent[];
}

/**
 * Runs a program and judges what each reader got by what was acknowledged: the receipts show which events the log has.
 * @throws Error that names the client and what it got instead
 */
async function runProgram(
  { owner }: HttpTrial,
  { runs, together }: ValueOf<typeof program>,
): Promise<void> {
  const begun = await Promise.all(
    runs.map(async (one): Promise<Begun> => {
      const drafts = notes(one.written, 1_000);
      return { plan: one, run: await owner.record(...drafts), log: drafts.map(appendedOf) };
    }),
  );
  const readers = [
    ...begun.flatMap(readersOf),
    ...together.flatMap((one) => readersOfAll(owner, begun, one)),
  ];
  // Awaited below, unless a writer fails first.
  for (const { delivery } of readers) delivery.catch(() => {});
  await Promise.all(begun.map(write));
  for (const { one, start, manner, delivery } of readers) {
    assertDelivery(one.log, start, await delivery, `The reader from ${start} on, ${manner}`);
  }
}

/** Starts the readers of one run. */
function readersOf(one: Begun) {
  const { plan, run } = one;
  const polling = plan.pollers.map(({ since, limit }) => {
    const start = startOf(one, since);
    const manner = `with ${limit} a page`;
    return { one, start, manner, delivery: pollToEnd(run, start, limit) };
  });
  const following = plan.streams.map(({ since, framesEach }) => {
    const start = startOf(one, since);
    const manner = `cut every ${framesEach}`;
    return { one, start, manner, delivery: follow(run, start, framesEach) };
  });
  return [...polling, ...following];
}

/** Starts a reader of all runs. */
function readersOfAll(
  owner: WireUser,
  begun: readonly Begun[],
  { since, framesEach }: ValueOf<typeof tail>,
) {
  const starts = begun.map((one) => [one.run, startOf(one, since)] as const);
  const deliveries = followMany(owner, starts, framesEach);
  const manner = `cut every ${framesEach}, of all runs`;
  return begun.map((one, at) => {
    const delivery = deliveries.then((all) => all[at] ?? []);
    return { one, start: startOf(one, since), manner, delivery };
  });
}

function startOf({ plan }: Begun, since: number): number {
  return Math.min(since, plan.written);
}

/** Makes all appends of a run, and ends it. */
async function write({ plan, run, log }: Begun): Promise<void> {
  const { writers, cancelsAfter } = plan;
  await Promise.all([
    ...writers.map((steps, writer) => append(run, log, steps, writer)),
    cancelsAfter === null ? null : cancelLater(run, cancelsAfter),
  ]);
  await end(run, log);
}

async function append(
  run: WireRun,
  log: AppendedEvent[],
  steps: readonly ValueOf<typeof step>[],
  writer: number,
): Promise<void> {
  for (const [at, { size, keyed: times, ends }] of steps.entries()) {
    const plain = notes(size, writer * 100 + at * 10);
    const drafts: readonly Draft[] = ends ? [...plain, "RUN_COMPLETED"] : plain;
    const headers = times === 0 ? {} : keyed(`${writer}-${at}`);
    const sent = Array.from({ length: Math.max(1, times) }, () => run.append(drafts, headers));
    enter(log, drafts, await Promise.all(sent));
  }
}

/** Takes an append's acknowledgements into the log. */
function enter(log: AppendedEvent[], drafts: readonly Draft[], answers: readonly Answer[]): void {
  const landed = answers.filter(({ status }) => status < 300);
  for (const answer of answers)
    if (!landed.includes(answer)) assertProblem(answer, 409, "run_finished");
  if (landed.length === 0) return;
  assertEqual(landed.length, answers.length, "W10: the repeats that were acknowledged");
  const receipts = landed.map(receiptOf);
  const firsts = new Set(receipts.map(({ firstSequence }) => firstSequence));
  assertEqual(firsts.size, 1, "W10: the places where repeats of one key landed");
  const fresh = receipts.filter(({ replayed }) => !replayed).length;
  assertEqual(fresh, 1, "W10: how many of the repeats are no replay");
  const [first = 0] = firsts;
  for (const [index, draft] of drafts.entries()) {
    const at = first - 1 + index;
    assert(!(at in log), `W9: no two appends have sequence ${at + 1}`);
    log[at] = appendedOf(draft);
  }
}

async function cancelLater(run: WireRun, looks: number): Promise<void> {
  for (let look = 0; look < looks; look++) await run.read();
  assertStatus(await run.cancel(), 200);
}

/** Ends the run unless it has ended, and compares its length with what was acknowledged. */
async function end(run: WireRun, log: AppendedEvent[]): Promise<void> {
  enter(log, ["RUN_FAILED"], [await run.append(["RUN_FAILED"])]);
  const { lastSequence, runStatus } = await run.read();
  if (runStatus === "cancelled") {
    // The server's own event is the only one without a receipt. W13 leaves its payload open.
    const since = Number(lastSequence) - 1;
    const [last] = (await run.page({ since })).events;
    assertEqual(last?.eventType, "RUN_CANCELLED", "W13: the last event of a cancelled run");
    assert(!(since in log), `W7: no append landed after the end at ${since + 1}`);
    log[since] = { eventType: "RUN_CANCELLED", payload: last?.payload };
  }
  const holes = Array.from({ length: log.length }, (_, at) => at).filter((at) => !(at in log));
  assertEqual([log.length, holes], [lastSequence, []], "W9: the log's length, and its holes");
}
