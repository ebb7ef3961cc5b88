import { isTerminal } from "@tm/run-events-core";
import {
  type OwnerQuery,
  type RunName,
  type RunRecord,
  utf8Bytes,
} from "@tm/run-events-core/store";
import type {
  AppendOutcome,
  AppendRequest,
  CreateOutcome,
  LeaseOutcome,
  RemovalOutcome,
} from "../core-calls.ts";
import { assert, assertEqual } from "../assert.ts";
import type { KitPage, KitQuery } from "../kit-store.ts";
import { type ClaimInput, takeClaim } from "./judge-lease.ts";
import {
  appendToModel,
  checkEvents,
  checkRecord,
  forgetRun,
  learnRun,
  liveRuns,
  type ModelRun,
  type StoreModel,
  runOf,
} from "./run-model.ts";

/** The size of an event besides its payload. */
const ENVELOPE_BYTES = 224;

/** A run to create. */
export type NewRun = Pick<RunRecord, "runId" | "ownerId" | "metadata" | "topic"> & {
  readonly exclusive: boolean;
  readonly claim?: ClaimInput;
};

/** Compares the outcome of an append with the model, which then has the append. @param outcome `null` if it is not known */
export function judgeAppend(
  model: StoreModel,
  request: AppendRequest & RunName,
  outcome: AppendOutcome | null,
): void {
  const expected = appendToModel(model, request);
  if (outcome !== null) assertEqual(outcome, expected, "the outcome");
}

/** Compares a page with the model. */
export function judgeRead(
  model: StoreModel,
  query: KitQuery & RunName,
  answer: KitPage | null,
): void {
  const run = runOf(model, query);
  if (run === undefined || answer === null) {
    return assertEqual(answer, run ?? null, `the answer for ${query.runId}`);
  }
  checkRecord(run, answer.run);
  checkEvents(run, query.since, answer.events);
  assertEqual(answer.events.length, lengthOf(run, query), "the number of events");
}

/** The number of events that a page has, in the plainest way: the model's own, so that it does not agree with a fault of core's cut. */
function lengthOf({ events }: ModelRun, { since, limit, maxBytes }: KitQuery): number {
  let bytes = 0;
  const rest = events.slice(since, since + limit);
  const cut = rest.findIndex(({ event }, at) => {
    bytes += ENVELOPE_BYTES + utf8Bytes(event.payload);
    return at > 0 && bytes > maxBytes;
  });
  return cut === -1 ? rest.length : cut;
}

/** Compares a head with the model. */
export function judgeHead(model: StoreModel, name: RunName, actual: RunRecord | null): void {
  const run = runOf(model, name);
  if (run === undefined) assertEqual(actual, null, `the run ${name.runId}`);
  else checkRecord(run, actual);
}

/** Whether a list has the run. */
function isListed(
  { record }: ModelRun,
  { ownerId, topic, runStatus }: Pick<OwnerQuery, "ownerId" | "topic" | "runStatus">,
): boolean {
  if (record.ownerId !== ownerId) return false;
  if (topic !== null && record.topic !== topic) return false;
  if (runStatus === "live") return !isTerminal(record.runStatus);
  return runStatus === null || record.runStatus === runStatus;
}

/** Compares the outcome of a deletion with the model, which then has the deletion. @param outcome `null` if it is not known */
export function judgeDeletion(
  model: StoreModel,
  name: RunName,
  outcome: RemovalOutcome | null,
): void {
  const record = runOf(model, name)?.record;
  const finished = record !== undefined && isTerminal(record.runStatus);
  const expected = record === undefined ? "not_found" : finished ? "deleted" : "active";
  if (outcome !== null) assertEqual(outcome, expected, "the outcome");
  if (finished) forgetRun(model, name);
}

/**
 * Compares the outcome of a creation with the model, which then has the run. Of its lease, see `judgeClaim`.
 * @param created `null` if it is not known
 */
export function judgeCreation(
  model: StoreModel,
  { exclusive, claim, ...asked }: NewRun,
  created: CreateOutcome | null,
): void {
  const before = runOf(model, asked);
  if (before !== undefined) return judgeExisting(before, claim, created);
  const busy = exclusive ? liveRuns(model, asked) : [];
  if (busy.length > 0) {
    if (created !== null) judgeBusy(busy, created);
    return;
  }
  if (created !== null) assertEqual(created.outcome, "created", "the outcome");
  const shown = created !== null && "run" in created ? created.run : null;
  const run = learnRun(model, asked, shown);
  const outcome = shown === null ? null : ({ outcome: "granted", run: shown } as const);
  if (claim !== undefined) takeClaim(run, claim, outcome);
}

function judgeBusy(busy: readonly string[], created: CreateOutcome): void {
  assertEqual(created.outcome, "topic_busy", "the outcome");
  const runId = created.outcome === "topic_busy" ? created.runId : "";
  assert(busy.includes(runId), `${runId} is a live run of the topic`);
}

function judgeExisting(
  before: ModelRun,
  claim: ClaimInput | undefined,
  created: CreateOutcome | null,
): void {
  const { runStatus, lastSequence } = before.record;
  const isOver = isTerminal(runStatus);
  if (created === null) {
    if (claim !== undefined && !isOver) takeClaim(before, claim, null);
    return;
  }
  if (claim !== undefined && isOver) {
    assertEqual(created, { outcome: "finished", runStatus, lastSequence }, "the outcome");
    return;
  }
  if ("run" in created) assertEqual(created.outcome, "existing", "the outcome");
  if (claim === undefined) return checkRecord(before, "run" in created ? created.run : null);
  const outcome: LeaseOutcome =
    "run" in created ? { outcome: "granted", run: created.run } : (created as LeaseOutcome);
  takeClaim(before, claim, outcome);
}

/** Takes a run out of the model that a purge has removed. */
export function judgePurged(model: StoreModel, name: RunName): void {
  const { runStatus } = runOf(model, name)?.record ?? {};
  const isFinished = runStatus !== undefined && isTerminal(runStatus);
  assert(
    isFinished,
    `a purge removes finished runs only, but ${name.runId} is ${runStatus ?? "gone"}`,
  );
  forgetRun(model, name);
}

/** Compares what a list had of one run with the model: the run, or `null` if it was not in the list. */
export function judgeListed(
  model: StoreModel,
  query: Pick<OwnerQuery, "ownerId" | "topic" | "runStatus">,
  runId: string,
  listed: RunRecord | null,
): void {
  const run = runOf(model, { ownerId: query.ownerId, runId });
  const belongs = run !== undefined && isListed(run, query);
  assertEqual(listed !== null, belongs, `whether the list has ${runId}`);
  if (belongs) checkRecord(run, listed);
}
