import type {
  CreateOperation,
  LeaseOperation,
  Operation,
  Violation,
} from "../history/operation.ts";
import { violation } from "../history/placed-batches.ts";
import { SHORT_MS } from "../lease.ts";
import {
  checkCrash,
  type Crash,
  crashOnce,
  goOn,
  outlivesCrash,
  RECEIPTS,
  RUN_IDS,
} from "./crash-play.ts";
import type { Manner } from "./loads.ts";
import type { ProcessTrial } from "./process-case.ts";
import { failOn } from "./process-cases.ts";
import type { Worker } from "./start-worker.ts";
import type { StartedRun } from "./worker-commands.ts";

/** The topics whose places all processes want. */
const TOPICS = RUN_IDS;
const STARTING: Manner = { manner: "starting", runIds: TOPICS };

/** A creation and its claim. */
interface Start extends StartedRun {
  readonly created: CreateOperation;
  readonly claimed: LeaseOperation;
}

/** The answer to one call that created a run with a claim. */
interface Answer {
  readonly runId: string;
  readonly created: CreateOperation;
  readonly claimed: LeaseOperation | null;
}

/**
 * Lets processes start exclusive runs, and crashes them or the server. Then it looks at the runs that are left, and lets the processes
 * that are left and a new one go on. It demands nothing of a store that declares less than `process`.
 * @throws Error with the clause and a timeline
 */
export async function playStartingCrash(
  trial: ProcessTrial,
  crash: Crash,
  asks: "places" | "again",
): Promise<void> {
  const { crew, ledger } = trial;
  const left = await crashOnce(trial, crash, await crew.startAll(), STARTING);
  const reader = await crew.start();
  if (!outlivesCrash(trial)) return;
  const before = startsOf(ledger.operations());
  const later = await (asks === "again" ? sendAgain : wantPlaces)(reader, before);
  failOn(wrongAgain(before, later), { operations: [...ledger.operations(), ...later] });
  await goOn(trial, [...left, reader], STARTING);
  await checkCrash(trial, crash, reader, settle(ledger.operations(), later));
}

function startsOf(operations: readonly Operation[]): readonly Start[] {
  const claims = new Map<string, LeaseOperation>();
  for (const one of operations) {
    if (one.kind === "lease" && one.asks === "claim") claims.set(one.runId, one);
  }
  return operations.flatMap((created) => {
    if (created.kind !== "create") return [];
    const claimed = claims.get(created.runId);
    if (claimed === undefined) return [];
    const { runId, topic } = created;
    return [{ runId, topic, leaseMs: claimed.leaseMs, created, claimed }];
  });
}

/** Sends creations again: those in doubt, those of runs that were left live, and the newest that were granted. */
async function sendAgain(reader: Worker, before: readonly Start[]): Promise<readonly Operation[]> {
  const isShort = ({ leaseMs }: Start): boolean => leaseMs === SHORT_MS;
  await reader.call("awaitExpired", { runIds: before.filter(isShort).map(({ runId }) => runId) });
  const long = before.filter((one) => !isShort(one));
  const chosen = new Set([...long.filter(isDoubtful), ...long.filter(isKept)]);
  for (const one of long.filter(isGranted).slice(-RECEIPTS)) chosen.add(one);
  const starts = [...chosen].map(({ runId, topic, leaseMs }) => ({ runId, topic, leaseMs }));
  return reader.call("startAgain", { name: `${reader.name}-again`, starts });
}

/** Tries to create another run of each topic whose run was left live. */
function wantPlaces(reader: Worker, before: readonly Start[]): Promise<readonly Operation[]> {
  const kept = before.filter((one) => isKept(one) && isGranted(one));
  const starts = kept.map(({ runId, topic, leaseMs }) => ({ runId, topic, leaseMs }));
  return reader.call("startOthers", { name: `${reader.name}-other`, starts });
}

function isDoubtful({ created }: Start): boolean {
  return created.result.outcome === "unknown" || created.result.outcome === "failed";
}

function isGranted({ claimed }: Start): boolean {
  return claimed.result.outcome === "granted";
}

/** Whether the run is left live: no other process wants its topic, and its own process does not end it. */
function isKept({ topic }: Start): boolean {
  return !TOPICS.includes(topic);
}

/** What is wrong with the answers to creations that were sent again, twice each. */
function wrongAgain(before: readonly Start[], again: readonly Operation[]): Violation | null {
  const firsts = new Map(before.map((one) => [one.runId, one]));
  const fences = new Map<string, number>();
  for (const start of startsInTurn(again)) {
    const { runId, created, claimed } = start;
    const first = firsts.get(runId);
    if (first === undefined) continue;
    const calls = [first.created, created];
    const { outcome } = created.result;
    const known = fences.get(runId) ?? fenceOf(first.claimed);
    if (known === null ? outcome === "claimed" : !isThere(created)) {
      return violation(
        "S21",
        `the creation of ${runId} was sent again under its key and answered ${outcome}`,
        calls,
      );
    }
    const fence = fenceOf(claimed);
    if (fence === null) continue;
    if (known !== null && fence !== known) {
      return violation(
        "S21",
        `the creation of ${runId} got fence ${known}, and when it was sent again ${fence}`,
        calls,
      );
    }
    fences.set(runId, fence);
  }
  return null;
}

/** The creations with their claims, in order: one answer for each call. */
function startsInTurn(operations: readonly Operation[]): readonly Answer[] {
  return operations.flatMap((created, at) => {
    if (created.kind !== "create") return [];
    const next = operations[at + 1];
    const claimed = next?.kind === "lease" ? next : null;
    return [{ runId: created.runId, created, claimed }];
  });
}

function fenceOf(claimed: LeaseOperation | null): number | null {
  return claimed?.result.outcome === "granted" ? claimed.result.fence : null;
}

/**
 * The history, with what the repeated creations have shown. If the run of a creation in doubt existed when it was sent again, that creation
 * has created it. A lease that was granted again is not a second lease.
 */
function settle(
  operations: readonly Operation[],
  again: readonly Operation[],
): readonly Operation[] {
  const repeated = new Set<Operation | null>();
  const firsts = new Map<string, Answer>();
  for (const answer of startsInTurn(again)) {
    if (isThere(answer.created)) repeated.add(answer.claimed);
    if (!firsts.has(answer.runId)) firsts.set(answer.runId, answer);
  }
  const settled = operations.map((one): Operation => {
    if (one.kind !== "create" && one.kind !== "lease") return one;
    const answer = firsts.get(one.runId);
    if (one.result.outcome !== "unknown" || !answer || !isThere(answer.created)) return one;
    const { endedAt } = answer.created;
    if (one.kind === "create") return { ...one, endedAt, result: { outcome: "created" } };
    const fence = fenceOf(answer.claimed);
    const isClaim = one.asks === "claim" && fence !== null;
    // The run was new at this claim, so its log was empty.
    const result = { outcome: "granted", lastSequence: 0 } as const;
    return isClaim ? { ...one, endedAt, result: { ...result, fence } } : one;
  });
  return [...settled, ...again.filter((one) => !repeated.has(one))];
}

/** Whether the run existed when the creation was sent. */
function isThere({ result }: CreateOperation): boolean {
  return result.outcome === "existing" || result.outcome === "finished";
}
