import type { OwnerOption } from "../rules/owner.ts";

/** The run to create. */
export interface CreateOptions extends OwnerOption {
  /**
   * Matches `^[A-Za-z0-9_-]{1,128}$`.
   * @defaultValue a new UUID
   */
  readonly runId?: string | undefined;
  /**
   * Any JSON value.
   * @defaultValue `null`
   */
  readonly metadata?: unknown;
  /**
   * The subject of the run, such as a chat, a document or a build: 1 to 200 characters, none of them a control character. It never
   * changes. `list` finds the runs of a topic.
   * @defaultValue `null`: no topic
   * @see clause W34 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly topic?: string | null | undefined;
  /**
   * Creates the run only while the owner has no live run of `topic`. The topic is free again the moment that run ends.
   * @defaultValue `false`
   * @see clause W35 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly exclusive?: boolean | undefined;
}
