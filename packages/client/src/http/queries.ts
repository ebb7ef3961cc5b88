import type { RunStatus } from "@tm/run-events-core";

/** A filter of a list. */
export interface RunsFilter {
  /**
   * Only runs in this status. `live` is for all that have not finished.
   * @defaultValue none: runs in every status
   */
  readonly status?: RunStatus | "live" | undefined;
  /**
   * Only runs of this topic.
   * @defaultValue none: runs of all topics
   * @see clause W34 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly topic?: string | undefined;
}

/** The runs to list. */
export interface ListQuery extends RunsFilter {
  /**
   * The most runs to list, from 1 to 200.
   * @defaultValue 50
   */
  readonly limit?: number | undefined;
  /** The `nextCursor` of the previous page. Without it, the newest runs. */
  readonly cursor?: string | undefined;
}

/** Where to begin in a run. */
export interface RunBeginning {
  /**
   * The last sequence that you have. Events after it are read.
   * @defaultValue 0
   */
  readonly since?: number | undefined;
  /**
   * The `createdAt` of the event `since`, as you got it. If the log has lost that event meanwhile, reading fails with `history_changed`.
   * @defaultValue none
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly at?: string | undefined;
  /**
   * Begins this many events before the end, in place of `since`: 1 to 1,000.
   * @defaultValue none: `since` says where to begin
   * @see clause W45 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly tail?: number | undefined;
}

/** The events to read. A page that begins with `tail` says where it begins. */
export interface EventsQuery extends RunBeginning {
  /**
   * The most events to read, from 1 to 1,000.
   * @defaultValue 500, which is the server's
   */
  readonly limit?: number | undefined;
  /**
   * The time that the server may wait for an event, in seconds: 0 to 30. On the wire it is `wait`.
   * @defaultValue 0
   */
  readonly waitSeconds?: number | undefined;
  /**
   * Parses the answer, for example to keep the digits of long integers.
   * @defaultValue `JSON.parse`
   */
  readonly parseJson?: ((text: string) => unknown) | undefined;
}

/** The fields with which a run is created. */
export interface NewRun {
  /**
   * The run's id. If you already have a run with this id, you get that run.
   * @defaultValue a new UUID
   * @see clause W8 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly runId?: string | undefined;
  /** The run's topic: 1 to 200 characters. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
  readonly topic?: string | null | undefined;
  /**
   * Creates the run only while you have no live run of `topic`; otherwise it is refused as `topic_busy`.
   * @defaultValue `false`
   * @see clause W35 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly exclusive?: boolean | undefined;
  /** Any JSON value. A `JsonText` is sent as its text. */
  readonly metadata?: unknown;
}

/** The length of the lease that is asked for, and the worker's name. */
export interface LeaseAsked {
  /** The time that the lease lasts, in milliseconds: 1,000 to 3,600,000. */
  readonly leaseMs: number;
  /** The worker's name: 1 to 100 characters. @see clause W44 in `WIRE.md` of `@tm/run-events-http` */
  readonly worker?: string | null | undefined;
}
