/**
 * The status of a run. `waiting` is for a person's input. The last three are terminal: the run has ended, and takes no more events.
 * @see clauses W6 and W38 in `WIRE.md` of `@tm/run-events-http`
 */
export type RunStatus = "queued" | "running" | "waiting" | TerminalStatus;

/** The three statuses that end a run for ever. */
export type TerminalStatus = "completed" | "failed" | "cancelled";

/**
 * The effect of a batch on its run's status, no matter what that was before: `started` makes a queued run running, `answered` a waiting one. Both
 * leave any other status as it is. The others are the status that follows.
 * @see clauses W6 and W38 in `WIRE.md` of `@tm/run-events-http`
 */
export type StatusChange = "started" | "answered" | "waiting" | TerminalStatus;

/**
 * One event of a run, as a reader sees it. It never changes.
 * @see "Shapes" in `WIRE.md` of `@tm/run-events-http`
 */
export interface RunEvent {
  /** 1, 2, 3, … within the run, without a gap. Pass the highest one seen as `since` to continue after it. */
  readonly sequence: number;
  readonly eventType: string;
  /** The payload's JSON value; `null` if the event was appended without one. */
  readonly payload: unknown;
  /** ISO 8601 with milliseconds, the store's clock; never decreases within a run. */
  readonly createdAt: string;
}

/** An event to append. */
export interface EventDraft {
  /** `^[A-Z][A-Z0-9_]{0,63}$` */
  readonly eventType: string;
  /** Any JSON value, or a `JsonText` whose tokens are kept exactly. Absent is `null`. */
  readonly payload?: unknown;
}

/** A run at one point in time. */
export interface RunSnapshot {
  readonly runId: string;
  readonly ownerId: string;
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  /** The sequence of the last event; 0 before the first. */
  readonly lastSequence: number;
  /** ISO 8601 with milliseconds. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When the terminal event was appended; `null` while the run is live. */
  readonly finishedAt: string | null;
  /** The topic with which the run was created; `null` if it has none. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
  readonly topic: string | null;
  /**
   * The lease of the worker that has the run; `null` while none does. A lease stays after its end, with a time that is past, until the run is claimed
   * again, released or ended. The fence is not in it: that is the worker's alone.
   * @see clause W44 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly lease: {
    /** The name that the worker gave; `null` if it gave none. */
    readonly worker: string | null;
    /** When the lease ends unless it is renewed: ISO 8601 with milliseconds, the store's clock. */
    readonly expiresAt: string;
  } | null;
  readonly metadata: unknown;
}

/** The default bound of one payload in UTF-8 bytes of its JSON text. @see clause W9 in `WIRE.md` of `@tm/run-events-http` */
export const MAX_PAYLOAD_BYTES = 262_144;

/** The default bound of the events in one append. @see clause W9 in `WIRE.md` of `@tm/run-events-http` */
export const MAX_BATCH_EVENTS = 1_000;

/**
 * An event as a store keeps it.
 * @see clause S8 in `STORE.md`
 */
export interface StoredEvent {
  readonly sequence: number;
  readonly eventType: string;
  /** JSON text, opaque, returned byte for byte. Well-formed Unicode without U+0000. */
  readonly payload: string;
  /** Milliseconds since 1970, the store's clock; never decreases within a run. @see clause W2 in `WIRE.md` of `@tm/run-events-http` */
  readonly createdAtMs: number;
}

/** An event on its way into a store. Core has checked it. */
export interface NewEvent {
  readonly eventType: string;
  /** JSON text. */
  readonly payload: string;
  /** The phase that this event starts, as JSON text; `null` for an event that starts none. */
  readonly phase: string | null;
}
