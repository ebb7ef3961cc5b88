import { isTerminal } from "@tm/run-events-core";
import type { OwnerQuery, RunName, RunRecord } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import { isListed } from "./judge.ts";
import { checkRecord, forgetRun, runOf, type StoreModel } from "./run-model.ts";

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
