import type { RunStatus } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";

/** The fields of a run's hash that make its record, in the order in which they are asked for. */
const HEAD_FIELDS = [
  "ownerId",
  "runStatus",
  "phase",
  "lastSequence",
  "ordinal",
  "createdAtMs",
  "updatedAtMs",
  "finishedAtMs",
  "metadata",
  // Only a run with a topic has it.
  "topic",
  // Only a run that was claimed has these.
  "fence",
  "leaseExpiresAtMs",
  "worker",
  // The fence of the claim that gave the name: a program that knows no names leaves that of an earlier claim.
  "workerFence",
  // Only a run that was released has it.
  "idleFromMs",
] as const;

/** The fields as the arguments of a command in a script. */
export const HEAD_FIELDS_LUA: string = HEAD_FIELDS.map((field) => `'${field}'`).join(", ");

/** The values of `HEAD_FIELDS` as a record; `null` if the run does not exist. */
export function parseHead(runId: string, values: readonly (string | null)[]): RunRecord | null {
  const [
    ownerId,
    runStatus,
    phase,
    last,
    ordinal,
    created,
    updated,
    finished,
    metadata,
    topic,
    fence,
    lease,
    worker,
    workerFence,
    idleFrom,
  ] = values;
  if (typeof ownerId !== "string") return null;
  return {
    runId,
    ownerId,
    // Only the scripts write it, and they write the status that core computed.
    runStatus: runStatus as RunStatus,
    phase: phase ?? null,
    lastSequence: Number(last),
    ordinal: Number(ordinal),
    createdAtMs: Number(created),
    updatedAtMs: Number(updated),
    finishedAtMs: numberOrNull(finished),
    metadata: metadata ?? "null",
    topic: topic ?? null,
    idleFromMs: Number(idleFrom ?? created),
    fence: Number(fence ?? 0),
    leaseExpiresAtMs: numberOrNull(lease),
    worker: typeof lease === "string" && workerFence === fence ? (worker ?? null) : null,
  };
}

/** The number of a field that may be missing. */
export function numberOrNull(value: string | null | undefined): number | null {
  return typeof value === "string" ? Number(value) : null;
}
