import { isTerminal } from "@tm/run-events-core";
import type { CreateOutcome, LeaseOutcome } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import { type Command, command, own, type RealStore } from "./commands.ts";
import { checkRecord, learnRun, liveRuns, type ModelRun } from "./run-model.ts";
import { type ClaimInput, claimRequest, takeClaim } from "./take-claim.ts";

/** Creates a run. */
export function createCommand(input: {
  readonly runId: string;
  readonly ownerId: string;
  readonly metadata: string;
  readonly topic: string | null;
  /** Counts only with a topic. */
  readonly exclusive: boolean;
  readonly claim: ClaimInput | null;
}): Command {
  return command("createRun", input, async (model, real) => {
    const { metadata, topic, claim } = input;
    const runId = own(real, input.runId);
    const request = { runId, ownerId: own(real, input.ownerId), metadata, topic };
    const exclusive = input.exclusive && topic !== null;
    const asked = claim === null ? {} : { claim: claimRequest(claim) };
    const created = await real.next().createRun({ ...request, exclusive, ...asked });
    const before = model.runs.get(runId);
    if (before !== undefined) return checkExisting(real, before, request.ownerId, claim, created);
    const busy = exclusive ? liveRuns(model, request) : [];
    if (busy.length > 0) return checkBusy(busy, created);
    assertEqual(created.outcome, "created", "the outcome");
    if (!("run" in created)) return;
    const run = learnRun(model, request, created.run);
    if (claim !== null) await takeClaim(real, run, claim, { outcome: "granted", run: created.run });
  });
}

function checkBusy(busy: readonly string[], created: CreateOutcome): void {
  assertEqual(created.outcome, "topic_busy", "the outcome");
  const runId = created.outcome === "topic_busy" ? created.runId : "";
  assert(busy.includes(runId), `${runId} is a live run of the topic`);
}

async function checkExisting(
  real: RealStore,
  before: ModelRun,
  ownerId: string,
  claim: ClaimInput | null,
  created: CreateOutcome,
): Promise<void> {
  const { runStatus, lastSequence } = before.record;
  if (before.record.ownerId !== ownerId) {
    return assertEqual(created, { outcome: "taken" }, "the outcome");
  }
  if (claim !== null && isTerminal(runStatus)) {
    const finished = { outcome: "finished", runStatus, lastSequence };
    return assertEqual(created, finished, "the outcome");
  }
  if ("run" in created) assertEqual(created.outcome, "existing", "the outcome");
  if (claim === null) return checkRecord(before, "run" in created ? created.run : null);
  const outcome: LeaseOutcome =
    "run" in created ? { outcome: "granted", run: created.run } : (created as LeaseOutcome);
  return takeClaim(real, before, claim, outcome);
}
