import type { RunStatus } from "./event.ts";

/** A run is found by its owner and its id: two owners may have the same id. */
export interface RunName {
  readonly ownerId: string;
  readonly runId: string;
}

/**
 * A run as a store keeps it: one row or key a run. What a store's statements compare, move or find by an index has a field of its own, and
 * all the rest is in `extra`, so that a new attribute of runs changes no store.
 */
export interface Head extends RunName {
  /** Orders an owner's runs by creation: positive, a safe integer, never used twice, not even after a removal. Gaps are fine. */
  readonly ordinal: number;
  /** Moves with each write to the head, plain appends and renewals too. A commit checks it, so that nothing lands over what it has not seen. */
  readonly revision: number;
  readonly runStatus: RunStatus;
  /** The current phase as the JSON text of a string (so any text column can hold any phase), or `null`. */
  readonly phase: string | null;
  /** 0 before the first event. */
  readonly lastSequence: number;
  /** The time of the last event, or of the run's creation before the first. Milliseconds since 1970. */
  readonly updatedAtMs: number;
  /** The highest fence taken so far, 0 before the first claim. A claim sets it to `nextFence`; a cancel and a reap add one. */
  readonly fence: number;
  /**
   * When the lease of `fence` expires, by the store's clock; `null` while the run has no lease. An expired lease stays until the run is
   * claimed, released or ended.
   */
  readonly leaseExpiresAtMs: number | null;
  /** The run's topic, or `null`. It never changes. */
  readonly topic: string | null;
  /** Whether the run was created as exclusive: of an owner's live runs of a topic, at most one is. It never changes. */
  readonly exclusive: boolean;
  /** The time by which the index of due runs finds it: never later than its true time, which `dueAt` knows. */
  readonly dueMs: number;
  /** JSON text that only core reads: 2 KiB at most. */
  readonly extra: string;
  /** JSON text, opaque, up to 256 KiB. It never changes. Only where it was asked for, and at the creation. */
  readonly metadata?: string;
}

/** A run without its events: callers get it, and the rules decide by it. */
export interface RunRecord extends Omit<
  Head,
  "revision" | "exclusive" | "dueMs" | "extra" | "metadata"
> {
  /** The name that the worker gave at its claim; `null` if it gave none, and while the run has no lease. */
  readonly worker: string | null;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** JSON text, opaque; empty in a list without metadata. */
  readonly metadata: string;
}
