import type { RunSnapshot } from "@tm/run-events-core";

/** A run that was created this many seconds after the others began. */
export function snapshotOf(number: number, rest: Partial<RunSnapshot> = {}): RunSnapshot {
  const at = new Date(1_767_225_600_000 + number * 1_000).toISOString();
  return {
    runId: `run-${number}`,
    ownerId: "ada",
    runStatus: "running",
    currentPhase: null,
    lastSequence: 1,
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
    topic: null,
    lease: null,
    metadata: null,
    ...rest,
  };
}
