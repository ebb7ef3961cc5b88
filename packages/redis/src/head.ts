import type { RunRecord, RunStatus } from "@tm/run-events-core";

/** The fields of a run's hash that make its record, in the order in which they are asked for. */
export const HEAD_FIELDS = [
  "ownerId",
  "runStatus",
  "phase",
  "lastSequence",
  "ordinal",
  "createdAtMs",
  "updatedAtMs",
  "finishedAtMs",
  "metadata",
] as const;

/** The fields as the arguments of a command in a script. */
export const HEAD_FIELDS_LUA: string = HEAD_FIELDS.map((field) => `'${field}'`).join(", ");

/** The values of `HEAD_FIELDS` as a record; `null` if there is no such run. */
export function parseHead(runId: string, values: readonly (string | null)[]): RunRecord | null {
  const [ownerId, runStatus, phase, last, ordinal, created, updated, finished, metadata] = values;
  if (typeof ownerId !== "string") return null;
  return {
    runId,
    ownerId,
    // Nobody but the scripts writes it, and they write what core folded.
    runStatus: runStatus as RunStatus,
    phase: phase ?? null,
    lastSequence: Number(last),
    ordinal: Number(ordinal),
    createdAtMs: Number(created),
    updatedAtMs: Number(updated),
    finishedAtMs: typeof finished === "string" ? Number(finished) : null,
    metadata: metadata ?? "null",
  };
}
