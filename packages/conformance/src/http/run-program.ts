import { assert, assertEqual } from "../assert.ts";
import { assertProblem, assertStatus } from "./assert-answer.ts";
import type { Answer } from "./call.ts";
import { appendedOf, type Draft, notes } from "./draft.ts";
import type { HttpTrial } from "./http-trial.ts";
import { type AppendedEvent, assertDelivery, type Delivery } from "./judge-delivery.ts";
import { follow, followMany, pollToEnd } from "./readers.ts";
import { keyed, receiptOf, type WireRun } from "./wire-run.ts";

/** The calls that several clients make at once. */
export interface Program {
  readonly runs: readonly RunPlan[];
  /** Readers that follow all runs on one stream. */
  readonly together: readonly Tail[];
}

/** The clients of one run. */
interface RunPlan {
  /** The number of events that the run has before they begin. Readers start at or before its end. */
  readonly written: number;
  /** Each does its appends one after the other. */
  readonly writers: readonly (readonly AppendStep[])[];
  /** The number of reads before a client cancels the run; `null` if it never does. */
  readonly cancelsAfter: number | null;
  readonly pollers: readonly { readonly since: number; readonly limit: number }[];
  readonly streams: readonly Tail[];
}

/** A reader of streams, which goes away and comes back after this many frames. */
interface Tail {
  readonly since: number;
  readonly framesEach: number;
}

interface AppendStep {
  readonly size: number;
  /** The number of times that it is sent at once under one key; 0 for once without a key. */
  readonly keyed: number;
  readonly ends: boolean;
}

/** A run, and the events that are known to be in its log. */
interface Begun {
  readonly plan: RunPlan;
  readonly run: WireRun;
  readonly log: AppendedEvent[];
}

/**
 * Runs a program and judges what each reader got by what was acknowledged: the receipts show which events the log has.
 * @throws Error that names the client and what it got instead
 */
export async function runProgram(trial: HttpTrial, { runs, together }: Program): Promise<void> {
  const begun = await Promise.all(
    runs.map(async (plan): Promise<Begun> => {
      const drafts = notes(plan.written, 1_000);
      return { plan, run: await trial.owner.record(...drafts), log: drafts.map(appendedOf) };
    }),
  );
  const judges = [
    ...begun.flatMap((one) => readersOf(one)),
    ...together.flatMap(({ since, framesEach }) => {
      const starts = begun.map((one) => [one.run, startOf(one, since)] as const);
      const deliveries = followMany(trial.owner, starts, framesEach);
      return begun.map((one, at) =>
        judge(one, since, `cut every ${framesEach}, of all runs`, async () => {
          return (await deliveries)[at] ?? [];
        }),
      );
    }),
  ];
  await Promise.all(begun.map((one) => write(one)));
  for (const one of judges) await one();
}

/** Starts the readers of one run. @returns functions that judge what they got, once the log is known */
function readersOf(one: Begun): readonly (() => Promise<void>)[] {
  const { plan, run } = one;
  return [
    ...plan.pollers.map(({ since, limit }) =>
      judge(one, since, `with ${limit} a page`, (start) => pollToEnd(run, start, limit)),
    ),
    ...plan.streams.map(({ since, framesEach }) =>
      judge(one, since, `cut every ${framesEach}`, (start) => follow(run, start, framesEach)),
    ),
  ];
}

function judge(
  one: Begun,
  since: number,
  manner: string,
  read: (start: number) => Promise<Delivery>,
): () => Promise<void> {
  const start = startOf(one, since);
  const reading = read(start);
  // Looked at later, unless a writer fails first.
  reading.catch(() => {});
  return async () =>
    assertDelivery(one.log, start, await reading, `The reader from ${start} on, ${manner}`);
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
  steps: readonly AppendStep[],
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

/** Ends the run unless it has ended, and holds its length against what was acknowledged. */
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
