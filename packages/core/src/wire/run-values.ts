import { encodeTime } from "../rules/encode-time.ts";
import type { RunEvent, RunSnapshot, RunStatus, StoredEvent } from "../rules/event.ts";
import type { LogPage } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import { encodePage, encodeRun } from "./answers.ts";

/** An event as a program sees it, with its payload as a value. */
export function eventOf({ sequence, eventType, payload, createdAtMs }: StoredEvent): RunEvent {
  return {
    sequence,
    eventType,
    payload: JSON.parse(payload) as unknown,
    createdAt: encodeTime(createdAtMs),
  };
}

/** A run's snapshot: its form on the wire, as a value. */
export function snapshotOf(run: RunRecord): RunSnapshot {
  return JSON.parse(encodeRun(run)) as RunSnapshot;
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

/** A page of a log: its form on the wire, as a value. */
export function pageOf(page: LogPage): RunEventsPage {
  return JSON.parse(encodePage(page)) as RunEventsPage;
}
