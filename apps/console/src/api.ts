import { createClient, type Session } from "@tm/run-events-client/runs";
import { RunEventsError, type RunSnapshot } from "@tm/run-events-core";

export type { Session };

/** The server of this page. A failed call is shown at once, and the user tries again. */
const server = createClient({ patienceMs: 0 });

/**
 * Reads the session of this browser; `null` if it has none.
 * @throws RunEventsError with the answer's code, as all calls here
 */
export async function readSession(): Promise<Session | null> {
  try {
    return await server.session();
  } catch (error) {
    if (isSignedOut(error)) return null;
    throw error;
  }
}

/**
 * Opens a session with a token. The browser keeps its cookie.
 * @throws RunEventsError `unauthenticated` if the token is not valid
 */
export async function signIn(token: string): Promise<void> {
  // A header cannot hold other characters, and no token has them.
  if (!/^[\x21-\x7E]+$/.test(token)) {
    throw new RunEventsError(
      "unauthenticated",
      "Expected a token of visible ASCII characters, without spaces.",
    );
  }
  await server.openSession(token);
}

/** Ends the session. It is not a failure if the session has already ended. */
export async function signOut(): Promise<void> {
  try {
    await server.closeSession();
  } catch (error) {
    if (!isSignedOut(error)) throw error;
  }
}

/** A run's state, and until when its server keeps it. */
export interface ReadRun {
  readonly snapshot: RunSnapshot;
  /** The earliest time at which the server removes the run, ISO 8601; `null` while it is live, or if it is kept for ever. */
  readonly keptUntil: string | null;
}

/** Reads a run. @see clause W14 in `WIRE.md` */
export async function readRun(runId: string): Promise<ReadRun> {
  const snapshot = await server.get(runId);
  return { snapshot, keptUntil: snapshot.keptUntil };
}

/** Ends a run as cancelled, unless it has ended. @see clause W13 in `WIRE.md` */
export async function cancelRun(runId: string): Promise<RunSnapshot> {
  return server.cancel(runId);
}

/** Whether an error means that the browser has no session, or that it has ended. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "unauthenticated";
}

/** The address of a code's page on this server. Any other `type` of a problem may lead anywhere. */
const ADDRESS = /^\/v1\/errors\/[a-z_]+$/;

/**
 * The page on this server that explains the code of an error; `null` if the error has no such page. Errors of a stream carry no address:
 * for those, the page follows from the code.
 * @see clauses W3 and W22 in `WIRE.md`
 */
export function addressOf(error: unknown): string | null {
  if (!(error instanceof RunEventsError)) return null;
  const { code, details, retryable } = error;
  const { type } = details as { readonly type?: unknown };
  if (typeof type === "string" && ADDRESS.test(type)) return type;
  // The client's own failures are retryable or internal. Their codes say nothing about this server.
  return type !== undefined || retryable || code === "internal" ? null : `/v1/errors/${code}`;
}

/** The text that the user sees of an error. */
export function messageOf(error: unknown): string {
  return error instanceof RunEventsError
    ? error.message
    : "Something went wrong. Reload the page and try again.";
}
