import { createClient, type RunList, type Session } from "@tm/run-events-client/runs";
import { RunEventsError, type RunSnapshot, type RunStatus } from "@tm/run-events-core";

export type { Session };

/** Some of the caller's runs, newest first. @see W14 */
export interface RunsPage extends Pick<RunList, "nextCursor"> {
  readonly runs: readonly RunSnapshot[];
}

/** Which runs are asked for. */
export interface RunsQuery {
  /** `null` for every status. */
  readonly status: RunStatus | null;
  /** 1 to 200. */
  readonly limit: number;
  /** From the page before; `null` for the newest. */
  readonly cursor: string | null;
}

/** The server of this page. A failure is shown; the user or the next look tries again. */
const server = createClient({ patienceMs: 0 });

/** The session of this browser; `null` if it has none. @throws as all calls here: RunEventsError of the answer's code */
export async function readSession(): Promise<Session | null> {
  try {
    return await server.session();
  } catch (error) {
    if (isSignedOut(error)) return null;
    throw error;
  }
}

/** Turns a token into a session cookie. @throws RunEventsError `unauthenticated` if nobody has the token */
export async function signIn(token: string): Promise<void> {
  // A header holds no other characters, and no token has them.
  if (!/^[\x21-\x7E]+$/.test(token)) {
    throw new RunEventsError("unauthenticated", "No token is written like this.");
  }
  await server.openSession(token);
}

/** Ends the session. One that has ended already is no failure. */
export async function signOut(): Promise<void> {
  try {
    await server.closeSession();
  } catch (error) {
    if (!isSignedOut(error)) throw error;
  }
}

/** @see W14 */
export async function listRuns({ status, limit, cursor }: RunsQuery): Promise<RunsPage> {
  return server.list({ status: status ?? undefined, limit, cursor: cursor ?? undefined });
}

/** A run as it stands. */
export interface ReadRun {
  readonly snapshot: RunSnapshot;
  /** When the server removes it at the earliest, ISO 8601; `null` while it is live, or if it is kept for ever. */
  readonly goesAt: string | null;
}

/** @see W14 */
export async function readRun(runId: string): Promise<ReadRun> {
  const snapshot = await server.get(runId);
  return { snapshot, goesAt: snapshot.keptUntil };
}

/** Ends a run as cancelled, unless it has ended. @see W13 */
export async function cancelRun(runId: string): Promise<RunSnapshot> {
  return server.cancel(runId);
}

/** Whether an error says that there is no session, or no longer. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "unauthenticated";
}

/** What to tell the user of an error. */
export function messageOf(error: unknown): string {
  return error instanceof RunEventsError ? error.message : "Something went wrong.";
}
