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
  // Only a run that was claimed has these.
  "fence",
  "leaseExpiresAtMs",
] as const;

/** The fields as the arguments of a command in a script. */
export const HEAD_FIELDS_LUA: string = HEAD_FIELDS.map((field) => `'${field}'`).join(", ");

/** The values of `HEAD_FIELDS` as a record; `null` if there is no such run. */
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
    fence,
    lease,
  ] = values;
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
    finishedAtMs: numberOrNull(finished),
    metadata: metadata ?? "null",
    fence: Number(fence ?? 0),
    leaseExpiresAtMs: numberOrNull(lease),
  };
}

/** What a field says that is not always there. */
export function numberOrNull(value: string | null | undefined): number | null {
  return typeof value === "string" ? Number(value) : null;
}
