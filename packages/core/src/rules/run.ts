import type { RunStatus } from "./event.ts";
import type { Lease } from "./lease.ts";

/** A run without its events: callers get it, and the rules decide by it. */
export interface RunRecord extends Lease {
  readonly runId: string;
  readonly ownerId: string;
  readonly runStatus: RunStatus;
  /** The current phase as the JSON text of a string (so any text column can hold any phase), or `null`. */
  readonly phase: string | null;
  /** 0 before the first event. */
  readonly lastSequence: number;
  /** Orders the store's runs by creation: positive, a safe integer, never used twice, not even after a delete. */
  readonly ordinal: number;
  readonly createdAtMs: number;
  /** The `createdAtMs` of the last event, or of the run before the first. */
  readonly updatedAtMs: number;
  readonly finishedAtMs: number | null;
  /** JSON text, opaque; empty in a list without metadata. */
  readonly metadata: string;
  /** The run's topic, or `null`. It never changes. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
  readonly topic: string | null;
}

/** The values that distinguish one state of a run's log from the next: every commit on a run moves its sequence. */
export type RunPosition = Pick<RunRecord, "runId" | "ordinal" | "lastSequence">;
