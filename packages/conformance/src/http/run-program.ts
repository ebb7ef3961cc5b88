import { assert, assertEqual } from "../assert.ts";
import { assertProblem, assertStatus } from "./assert-answer.ts";
import type { Answer } from "./call.ts";
import { follow } from "./follow.ts";
import type { HttpTrial } from "./http-trial.ts";
import { assertDelivery } from "./assert-delivery.ts";
import type { AppendedEvent } from "./judge-delivery.ts";
import { pollToEnd } from "./poll-to-end.ts";
import { appendedOf, type Draft, notes } from "./draft.ts";
import { appendCall, getRun, pathOf, readPage, receiptOf, record } from "./runs.ts";

/** The calls that several clients make on one run at once. */
export interface Program {
  /** The number of events that the run has before they begin. Readers start at or before its end. */
  readonly written: number;
  /** Each does its appends one after the other. */
  readonly writers: readonly (readonly AppendStep[])[];
  /** The number of reads before a client cancels the run; `null` if it never does. */
  readonly cancelsAfter: number | null;
  readonly pollers: readonly { readonly since: number; readonly limit: number }[];
  /** Streams that go away and come back after this many frames. */
  readonly streams: readonly { readonly since: number; readonly framesEach: number }[];
}

interface AppendStep {
  readonly size: number;
  /** The number of times that it is sent at once under one key; 0 for once without a key. */
  readonly keyed: number;
  readonly ends: boolean;
}

/**
 * Runs a program and judges what each reader got by what was acknowledged: the receipts show which events the log has.
 * @throws Error that names the client and what it got instead
 */
export async function runProgram(trial: HttpTrial, program: Program): Promise<void> {
  const { written, writers, cancelsAfter, pollers, streams } = program;
  const runId = await record(trial, ...notes(written, 1_000));
  const log: AppendedEvent[] = notes(written, 1_000).map(appendedOf);
  const startOf = (since: number): number => Math.min(since, written);

  const reading = Promise.all([
    ...pollers.map(({ since, limit }) => pollToEnd(trial, runId, startOf(since), limit)),
    ...streams.map(({ since, framesEach }) => follow(trial, runId, startOf(since), framesEach)),
  ]);
  // Looked at below, unless a writer fails first.
  reading.catch(() => {});
  await Promise.all([
    ...writers.map((steps, writer) => write(trial, runId, log, steps, writer)),
    cancelsAfter === null ? null : cancelLater(trial, runId, cancelsAfter),
  ]);
  await end(trial, runId, log);
  const names = [
    ...pollers.map(({ since, limit }) => `The poller from ${startOf(since)} with ${limit} a page`),
    ...streams.map(
      ({ since, framesEach }) => `The stream from ${startOf(since)} cut every ${framesEach}`,
    ),
  ];
  const starts = [...pollers, ...streams].map(({ since }) => startOf(since));
  for (const [index, delivery] of (await reading).entries()) {
    assertDelivery(log, starts[index] ?? 0, delivery, names[index]);
  }
}

async function write(
  trial: HttpTrial,
  runId: string,
  log: AppendedEvent[],
  steps: readonly AppendStep[],
  writer: number,
): Promise<void> {
  for (const [at, { size, keyed, ends }] of steps.entries()) {
    const plain = notes(size, writer * 100 + at * 10);
    const drafts: readonly Draft[] = ends ? [...plain, "RUN_COMPLETED"] : plain;
    const headers = keyed === 0 ? {} : { "idempotency-key": `${writer}-${at}` };
    const call = appendCall(trial, runId, drafts, headers);
    const sent = Array.from({ length: Math.max(1, keyed) }, () => trial.send(call));
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

async function cancelLater(trial: HttpTrial, runId: string, looks: number): Promise<void> {
  for (let look = 0; look < looks; look++) await getRun(trial, runId);
  const path = pathOf(runId, "/cancel");
  assertStatus(await trial.send({ method: "POST", path, headers: trial.owner.bearer }), 200);
}

/** Ends the run unless it has ended, and holds its length against what was acknowledged. */
async function end(trial: HttpTrial, runId: string, log: AppendedEvent[]): Promise<void> {
  const answer = await trial.send(appendCall(trial, runId, ["RUN_FAILED"]));
  enter(log, ["RUN_FAILED"], [answer]);
  const { lastSequence, runStatus } = await getRun(trial, runId);
  if (runStatus === "cancelled") {
    // The server's own event is the only one without a receipt. W13 leaves its payload open.
    const since = Number(lastSequence) - 1;
    const [last] = (await readPage(trial, runId, `since=${since}`)).events;
    assertEqual(last?.eventType, "RUN_CANCELLED", "W13: the last event of a cancelled run");
    assert(!(since in log), `W7: no append landed after the end at ${since + 1}`);
    log[since] = { eventType: "RUN_CANCELLED", payload: last?.payload };
  }
  const holes = Array.from({ length: log.length }, (_, at) => at).filter((at) => !(at in log));
  assertEqual([log.length, holes], [lastSequence, []], "W9: the log's length, and its holes");
}
