import { runsAddress } from "../http/server-url.ts";
import type { FeedCell } from "./feed-cell.ts";
import type { RunCell } from "./run-cell.ts";
import { type ConnectionOptions, TabConnection } from "./tab-connection.ts";

/** Which run is followed, for whom, and where the server is. */
export interface SharedRunOptions extends ConnectionOptions {
  readonly runId: string;
}

/** The connections of this page. */
const connections = new Map<string, TabConnection>();

/**
 * Follows a run over the one connection that all tabs of an origin share for a server and a user. A token or a cookie without a `userId`
 * shares nothing: each such run has its own connection.
 * @param options those of the first run decide where the server is and who asks
 * @param cell gets the events. Reading begins after those that it has
 * @returns resolves when the run has finished or failed, or the signal has aborted. Never rejects: the cell shows a failure
 */
export async function followInTabs(
  { runId, ...options }: SharedRunOptions,
  cell: RunCell,
  signal: AbortSignal,
): Promise<void> {
  return connectionFor(options).follow(runId, cell, signal);
}

/**
 * Follows the feed of the owner's runs over the same connection.
 * @param cell says what is wanted, and gets the runs
 * @returns resolves when the feed has failed, or the signal has aborted. Never rejects: the cell shows a failure
 */
export async function followFeedInTabs(
  options: ConnectionOptions,
  cell: FeedCell,
  signal: AbortSignal,
): Promise<void> {
  return connectionFor(options).followFeed(cell, signal);
}

function connectionFor(options: ConnectionOptions): TabConnection {
  const { userId, credential = "session" } = options;
  if (credential !== "session" && userId === undefined) return new TabConnection(options, () => {});
  const key = JSON.stringify([runsAddress(options), userId, credential]);
  const connection =
    connections.get(key) ?? new TabConnection(options, () => connections.delete(key));
  connections.set(key, connection);
  return connection;
}
