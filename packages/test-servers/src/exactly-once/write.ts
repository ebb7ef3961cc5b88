import type { AppendReceipt, RunEvents } from "@tm/run-events-core";
import type { AppendOptions } from "../../../core/src/log/run-log.ts";
import type { AttemptOutcome } from "./history.ts";
import { codeOf, isAway, MINE, pauseBetweenAttempts, payloadOf, type Play } from "./play.ts";

/** Writes under a key of its own each, and sends each until it is acknowledged. */
export async function writeWithKeys(play: Play, runs: RunEvents, runId: string): Promise<void> {
  while (!play.isOver()) await writeKeyed(play, runs, runId, MINE);
}

/** As `writeWithKeys`, each only after the one before: a server that answers `sequence_conflict` is out of date. */
export async function writeInSequence(play: Play, runs: RunEvents, runId: string): Promise<void> {
  let expectedSequence = 0;
  while (!play.isOver()) {
    const receipt = await writeKeyed(play, runs, runId, { ...MINE, expectedSequence });
    if (receipt === null) return;
    expectedSequence = receipt.lastSequence;
  }
}

/** Writes without keys: what the store is not sure of may be there, once. */
export async function writeWithoutKeys(play: Play, runs: RunEvents, runId: string): Promise<void> {
  while (!play.isOver()) {
    const value = play.nextValue();
    let outcome: AttemptOutcome;
    try {
      const receipt = await runs.append(runId, [tokenOf(value)], MINE);
      outcome = { is: "landed", sequence: receipt.lastSequence };
    } catch (error) {
      const isInDoubt = isAway(error) && (error as { readonly ambiguous?: boolean }).ambiguous;
      outcome = isInDoubt ? { is: "in doubt" } : { is: "refused", code: codeOf(error) };
      await pauseBetweenAttempts();
    }
    play.attempts.push({ runId, value, idempotencyKey: null, outcome });
    if (outcome.is === "refused" && outcome.code !== "store_unavailable") return;
  }
}

/** Ends a run. */
export async function endRun(runs: RunEvents, runId: string): Promise<void> {
  await insist(() =>
    runs.append(runId, [{ eventType: "RUN_COMPLETED" }], { ...MINE, idempotencyKey: "end" }),
  );
}

/** Makes a run, through any outage. */
export async function createRun(runs: RunEvents, runId: string): Promise<void> {
  await insist(() => runs.create({ ...MINE, runId }));
}

/** Sends an event that has landed under a key once more. */
export function writeAgain(
  runs: RunEvents,
  runId: string,
  value: string,
  idempotencyKey: string,
): Promise<AppendReceipt> {
  return insist(() => runs.append(runId, [tokenOf(value)], { ...MINE, idempotencyKey }));
}

/** @returns `null` if it was refused, which is noted */
async function writeKeyed(
  play: Play,
  runs: RunEvents,
  runId: string,
  options: AppendOptions,
): Promise<AppendReceipt | null> {
  const value = play.nextValue();
  const idempotencyKey = `key of ${value}`;
  const note = (outcome: AttemptOutcome): void => {
    play.attempts.push({ runId, value, idempotencyKey, outcome });
  };
  try {
    const receipt = await insist(() =>
      runs.append(runId, [tokenOf(value)], { ...options, idempotencyKey }),
    );
    note({ is: "landed", sequence: receipt.lastSequence });
    return receipt;
  } catch (error) {
    note({ is: "refused", code: codeOf(error) });
    return null;
  }
}

/** Again and again while the store is away, with any of its errors. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    await pauseBetweenAttempts();
  }
}

function tokenOf(value: string): { readonly eventType: string; readonly payload: object } {
  return { eventType: "TOKEN", payload: payloadOf(value) };
}
