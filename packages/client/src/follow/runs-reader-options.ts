import type { ServerOptions } from "../http/server.ts";

/** Where the server is, and its heartbeat. */
export interface RunsReaderOptions extends ServerOptions {
  /**
   * The server's heartbeat, in milliseconds.
   * @defaultValue 15,000
   */
  readonly heartbeatMs?: number;
  /**
   * Makes the polls that the server answers at once.
   * @defaultValue the `fetch` of all requests
   */
  readonly pollFetch?: typeof globalThis.fetch;
  /**
   * Whether the first connection is opened without a wait for further runs.
   * @defaultValue false
   */
  readonly isHasty?: boolean;
  /** Called each time the server sends something, and when an attempt begins or fails. */
  readonly onActivity?: () => void;
}
