import { isTerminal } from "@tm/run-events-core";
import type {
  AppendOperation,
  AppendResult,
  LogOperation,
  ReadOperation,
  Violation,
} from "./operation.ts";
import { type Batch, firstSequenceOf, type PlacedLog, violation } from "./placed-batches.ts";

/** An answer that shows where a batch landed. */
type Landing = Extract<AppendResult, { readonly firstSequence: number }>;

/** What is wrong with one answer; `null` for nothing. */
type Wrong = readonly [clause: string, message: string] | null;

/** Holds each answer by itself against the log, whenever it came. */
export function checkAnswers(
  log: PlacedLog,
  operations: readonly LogOperation[],
): Violation | null {
  for (const operation of operations) {
    const wrong =
      operation.kind === "read" ? wrongPage(log, operation) : wrongAnswer(log, operation);
    if (wrong !== null) return violation(wrong[0], wrong[1], [operation]);
  }
  return null;
}

function wrongPage(log: PlacedLog, read: ReadOperation): Wrong {
  const { since, ids, lastSequence, runStatus, phaseId } = read;
  if (lastSequence > log.events.length) {
    return ["S1", `the head ${lastSequence} was read, and the log ends at ${log.events.length}`];
  }
  if (log.placeAt[lastSequence] === null) {
    return ["S2", `the head ${lastSequence} was read, which is inside a batch`];
  }
  const end = since + ids.length;
  if (end > Math.max(since, lastSequence)) {
    return ["S9", `events up to ${end} were read under the head ${lastSequence}`];
  }
  if (ids.length === 0 && since < lastSequence) {
    return ["S9", `nothing was read after ${since}, under the head ${lastSequence}`];
  }
  const wrong = ids.findIndex((id, index) => log.events[since + index]?.id !== id);
  if (wrong !== -1) {
    const where = `what was read as sequence ${since + wrong + 1} is`;
    return log.events.some(({ id }) => id === ids[wrong])
      ? ["S9", `${where} another event of the log`]
      : ["S1", `${where} not in the log any more`];
  }
  return wrongHeadAt(log, lastSequence, { runStatus, phaseId }, "read");
}

function wrongAnswer(log: PlacedLog, append: AppendOperation): Wrong {
  const { result, ids, idempotencyKey } = append;
  switch (result.outcome) {
    case "appended":
    case "replayed":
      return wrongLanding(log, append, result);
    case "finished":
    case "sequence_conflict":
      return wrongRefusal(log, append, result.lastSequence);
    case "idempotency_key_reused": {
      const other = landedUnderKey(log, idempotencyKey);
      return other !== null && other.ids[0] !== ids[0]
        ? null
        : ["S5", `the key ${idempotencyKey} was refused as reused, but no other events have it`];
    }
    case "not_found":
      return ["S5", "the run exists, but not_found was answered"];
    case "fenced":
    case "unknown":
    case "failed":
      return null;
  }
}

function wrongLanding(log: PlacedLog, append: AppendOperation, landing: Landing): Wrong {
  const { ids, idempotencyKey, expectedSequence } = append;
  const { firstSequence, lastSequence, runStatus, phaseId } = landing;
  const answered = `${firstSequence} to ${lastSequence}`;
  const batch = log.batches.get(ids[0]);
  if (batch === undefined || batch.place === null) {
    return ["S4", `the append that was acknowledged as ${answered} is lost`];
  }
  const first = firstSequenceOf(batch);
  if (firstSequence !== first || lastSequence !== batch.lastSequence) {
    const landed = `${first} to ${batch.lastSequence}`;
    return ["S1", `the answer has ${answered}, and the log has it at ${landed}`];
  }
  const wrongHead = wrongHeadAt(log, lastSequence, { runStatus, phaseId }, "answered");
  if (wrongHead !== null) return wrongHead;
  if (landing.outcome === "replayed") {
    return idempotencyKey === null ? ["S5", "an append without a key was replayed"] : null;
  }
  return expectedSequence === null || expectedSequence === first - 1
    ? null
    : ["S5", `an append that expected ${expectedSequence} landed at ${first}`];
}

/** The status and the phase of a run are those that its events leave it in. */
function wrongHeadAt(
  log: PlacedLog,
  lastSequence: number,
  { runStatus, phaseId }: Pick<ReadOperation, "runStatus" | "phaseId">,
  how: "read" | "answered",
): Wrong {
  const folded = log.events[lastSequence - 1]?.runStatus ?? "queued";
  if (runStatus !== folded) {
    return ["S2", `the status ${runStatus} was ${how} at ${lastSequence}, where it is ${folded}`];
  }
  const phase = log.phaseIdAt[lastSequence] ?? null;
  return phase === phaseId
    ? null
    : ["S2", `the phase of ${phaseId} was ${how} at ${lastSequence}, where it is that of ${phase}`];
}

/** A refusal has to be what comes first in the order of outcomes, with the head that it names. */
function wrongRefusal(log: PlacedLog, append: AppendOperation, lastSequence: number): Wrong {
  const { idempotencyKey, expectedSequence, result } = append;
  const keyed = landedUnderKey(log, idempotencyKey);
  if (keyed !== null && keyed.lastSequence <= lastSequence) {
    return ["S5", `the key ${idempotencyKey} had landed by ${lastSequence}, and was not replayed`];
  }
  if (log.placeAt[lastSequence] === null || lastSequence > log.events.length) {
    return ["S2", `the head ${lastSequence} was answered, but no batch ends there`];
  }
  const status = log.events[lastSequence - 1]?.runStatus ?? "queued";
  if (result.outcome === "finished") {
    return isTerminal(status) && status === result.runStatus
      ? null
      : [
          "S5",
          `the run was answered as ${result.runStatus} at ${lastSequence}, but is ${status} there`,
        ];
  }
  return expectedSequence === null || expectedSequence === lastSequence || isTerminal(status)
    ? ["S4", `a conflict was answered at ${lastSequence}, but the append fits there`]
    : null;
}

function landedUnderKey({ byKey }: PlacedLog, key: string | null): Batch | null {
  return key === null ? null : (byKey.get(key) ?? null);
}
