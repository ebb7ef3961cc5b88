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

/**
 * What has changed among an owner's runs: states, not events. Each run is as it is now, and may come again without a change.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export interface RunChanges {
  /**
   * Whether it starts over: without a cursor, or because the cursor is too old. Forget the runs that you had. The live ones are in
   * these changes and in those after them, up to the first without `hasMore`.
   */
  readonly isReset: boolean;
  /** Runs that were created, got events or ended, each with its last event if that was asked for and there is one. */
  readonly runs: readonly { readonly run: RunSnapshot; readonly last?: RunEvent }[];
  /** The ids of runs that were removed. */
  readonly gone: readonly string[];
  /** To go on after these changes later, pass it as `since`. It is good for an hour. */
  readonly cursor: string;
  /** Whether more changes follow at once. */
  readonly hasMore: boolean;
}

/** Changes as a program sees them. */
export function changesOf({
  runs,
  last,
  ...changes
}: Omit<RunChanges, "runs"> & {
  readonly runs: readonly RunRecord[];
  readonly last: ReadonlyMap<string, StoredEvent>;
}): RunChanges {
  return {
    ...changes,
    runs: runs.map((run) => {
      const event = last.get(run.runId);
      return { run: snapshotOf(run), ...(event && { last: eventOf(event) }) };
    }),
  };
}

/** A page of a run's events, and the run's status and phase. @see `RunEvents.read` */
export interface RunEventsPage {
  /** Ascending, without a gap, from `since + 1`. */
  readonly events: readonly RunEvent[];
  /** Terminal or `waiting` only when the page reaches the end of the log; before that, such a run reads as `running`. */
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
