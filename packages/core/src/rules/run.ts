import type { RunStatus } from "./event.ts";
import type { Lease } from "./lease.ts";

/** A run's head: one row or key a run, advanced by the append itself. @see clause S3 in `STORE.md` */
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
  /** What the run is about, or `null`. It never changes. @see clause S25 in `STORE.md` */
  readonly topic: string | null;
  /**
   * A time from which on the run may be idle, so that an index finds it: no later than `idleSince`, and 0 if nothing is known. An append
   * and a claim leave it as it is.
   * @see clause S28 in `STORE.md`
   */
  readonly idleFromMs: number;
}

/** What distinguishes one state of a run's log from the next: every commit on a run moves its sequence. */
export type RunPosition = Pick<RunRecord, "runId" | "ordinal" | "lastSequence">;

/** A run, and whose it is. */
export type OwnedRun = Pick<RunRecord, "runId" | "ownerId">;
