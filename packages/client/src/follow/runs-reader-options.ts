import type { ServerOptions } from "../http/server.ts";
import type { FollowRunOptions } from "./follow-options.ts";
import type { StreamSlot } from "./stream-slot.ts";

/** Where the server is, its heartbeat, and what allows a connection that stays open. */
export interface RunsReaderOptions extends ServerOptions, Pick<FollowRunOptions, "heartbeatMs"> {
  /**
   * Makes the polls that the server answers at once.
   * @defaultValue the `fetch` of all requests
   */
  readonly pollFetch?: typeof globalThis.fetch;
  /**
   * Allows a stream, or a poll that the server holds. The reader releases it when it follows nothing.
   * @defaultValue none: both are always allowed
   */
  readonly slot?: Pick<StreamSlot, "take" | "release">;
}
