import type { RunStatus } from "@tm/run-events-core";

/** Which runs to list. */
export interface ListQuery {
  /** Only runs in this status. `live` is for all that have not finished. Without it, runs in every status. */
  readonly status?: RunStatus | "live" | undefined;
  /** Only runs of this topic. Without it, runs of all topics. @see clause W34 in `WIRE.md` of `@tm/run-events-http` */
  readonly topic?: string | undefined;
  /**
   * The most runs to list, from 1 to 200.
   * @defaultValue 50
   */
  readonly limit?: number | undefined;
  /** The `nextCursor` of the previous page. Without it, the newest runs. */
  readonly cursor?: string | undefined;
}

/** Which events to read. */
export interface EventsQuery {
  /**
   * The last sequence that you have. Events after it are read.
   * @defaultValue 0
   */
  readonly since?: number | undefined;
  /**
   * The `createdAt` of the event `since`, as you got it. The read is refused if the log has lost that event.
   * @defaultValue none
   * @see clause W46 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly at?: string | undefined;
  /**
   * Begins this many events before the end, in place of `since`: 1 to 1,000. The page says where it begins.
   * @defaultValue none: `since` says where to begin
   * @see clause W45 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly tail?: number | undefined;
  /**
   * The most events to read, from 1 to 1,000.
   * @defaultValue 500, which is the server's
   */
  readonly limit?: number | undefined;
  /**
   * How long the server may wait for an event, in seconds: 0 to 30. On the wire it is `wait`.
   * @defaultValue 0
   */
  readonly waitSeconds?: number | undefined;
  /**
   * Parses the answer, for example to keep the digits of long integers.
   * @defaultValue `JSON.parse`
   */
  readonly parseJson?: ((text: string) => unknown) | undefined;
}
