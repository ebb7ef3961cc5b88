import { encodeTime } from "./encode-time.ts";
import type { RunEvent, RunSnapshot, RunStatus, StoredEvent } from "./event.ts";
import type { LogPage } from "./page.ts";
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
 * A run's snapshot, with JSON values and times as text. `encodeRun` in `wire/answers.ts` writes the same fields for the wire: add a new
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

/** A page of a run's events, and the run's state at its end. @see `RunEvents.read` */
export interface RunEventsPage {
  /** Ascending, without a gap, from `since + 1`. */
  readonly events: readonly RunEvent[];
  /** Terminal only when the page reaches the end of the log. */
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  /** The sequence of the log's last event. */
  readonly lastSequence: number;
  /** Whether the log has events after this page. */
  readonly hasMore: boolean;
  /** The sequence after which this page begins, if it was asked for by `tail`. */
  readonly since?: number;
}

/** Decodes a page of a log. */
export function pageOf({ events, phase, since, ...page }: LogPage): RunEventsPage {
  const { runStatus, lastSequence, hasMore } = page;
  return {
    events: events.map(eventOf),
    runStatus,
    currentPhase: decodePhase(phase),
    lastSequence,
    hasMore,
    ...(since !== undefined && { since }),
  };
}
