import { encodeTime } from "./encode-time.ts";
import type { RunEvent, RunSnapshot, StoredEvent } from "./event.ts";
import { decodePhase } from "./receipt.ts";
import type { RunRecord } from "./run.ts";

/** An event as a program sees it, with its payload as a value. */
export function eventOf({ sequence, eventType, payload, createdAtMs }: StoredEvent): RunEvent {
  return {
    sequence,
    eventType,
    payload: JSON.parse(payload) as unknown,
    createdAt: encodeTime(createdAtMs),
  };
}

/**
 * A run's snapshot, with JSON values and times as text. `encodeRun` in `wire/wire.ts` writes the same fields for the wire: add a new
 * field in both.
 */
export function snapshotOf(run: RunRecord): RunSnapshot {
  const {
    runId,
    ownerId,
    runStatus,
    phase,
    lastSequence,
    createdAtMs,
    updatedAtMs,
    finishedAtMs,
    topic,
    leaseExpiresAtMs,
    worker,
    metadata,
  } = run;
  return {
    runId,
    ownerId,
    runStatus,
    currentPhase: decodePhase(phase),
    lastSequence,
    createdAt: encodeTime(createdAtMs),
    updatedAt: encodeTime(updatedAtMs),
    finishedAt: finishedAtMs === null ? null : encodeTime(finishedAtMs),
    topic,
    lease: leaseExpiresAtMs === null ? null : { worker, expiresAt: encodeTime(leaseExpiresAtMs) },
    metadata: JSON.parse(metadata) as unknown,
  };
}
