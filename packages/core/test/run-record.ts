import type { AppendRequest } from "../src/rules/append.ts";
import type { NewEvent, StoredEvent } from "../src/rules/event.ts";
import { NO_LEASE } from "../src/rules/lease.ts";
import { INITIAL_STATE, phaseStartedBy } from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";

/** A run's head, by default of a new run. */
export function runRecord(part: Partial<RunRecord> = {}): RunRecord {
  return {
    ...INITIAL_STATE,
    ...NO_LEASE,
    runId: "r",
    ownerId: "ada",
    lastSequence: 0,
    ordinal: 1,
    createdAtMs: 1_000,
    updatedAtMs: 1_000,
    finishedAtMs: null,
    metadata: "null",
    topic: null,
    ...part,
  };
}

/** An event as core passes it to a store. */
export function newEvent(eventType: string, payload = "null"): NewEvent {
  return { eventType, payload, phase: phaseStartedBy(eventType, payload) };
}

/** An event as a store keeps it. */
export function storedEvent(part: Partial<StoredEvent> = {}): StoredEvent {
  return { sequence: 1, eventType: "TOKEN", payload: "null", createdAtMs: 1_000, ...part };
}

/** An append without conditions. */
export function appendRequest(
  events: readonly NewEvent[],
  part: Partial<AppendRequest> = {},
): AppendRequest {
  return {
    runId: "r",
    ownerId: "ada",
    events,
    idempotencyKey: null,
    expectedSequence: null,
    appender: { by: "anybody" },
    ...part,
  };
}
