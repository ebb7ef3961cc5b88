import {
  RunEventsError,
  type RunEventsErrorCode,
  type RunSnapshot,
  type RunStatus,
} from "@tm/run-events-core";

/** Who is signed in. @see W29 */
export interface Session {
  readonly userId: string;
}

/** Some of the caller's runs, newest first. @see W14 */
export interface RunsPage {
  readonly runs: readonly RunSnapshot[];
  /** Leads to the next ones; `null` if there are none. */
  readonly nextCursor: string | null;
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

/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 20_000;

/** The session of this browser; `null` if it has none. @throws as all calls here: RunEventsError of the answer's code */
export async function readSession(): Promise<Session | null> {
  try {
    return (await ask("GET", "/v1/session")) as Session;
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
  await ask("POST", "/v1/session", { authorization: `Bearer ${token}` });
}

/** Ends the session. One that has ended already is no failure. */
export async function signOut(): Promise<void> {
  try {
    await ask("DELETE", "/v1/session");
  } catch (error) {
    if (!isSignedOut(error)) throw error;
  }
}

/** @see W14 */
export async function listRuns({ status, limit, cursor }: RunsQuery): Promise<RunsPage> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (status !== null) query.set("status", status);
  if (cursor !== null) query.set("cursor", cursor);
  return (await ask("GET", `/v1/agent-runs?${query}`)) as RunsPage;
}

/** A run as it stands. */
export interface ReadRun {
  readonly snapshot: RunSnapshot;
  /** When the server removes it at the earliest, ISO 8601; `null` while it is live, or if it is kept for ever. */
  readonly goesAt: string | null;
}

/** @see W14 */
export async function readRun(runId: string): Promise<ReadRun> {
  const { value, retention } = await askAnswer("GET", `/v1/agent-runs/${runId}`);
  const snapshot = value as RunSnapshot;
  return { snapshot, goesAt: goesAtOf(snapshot, retention) };
}

function goesAtOf({ finishedAt }: RunSnapshot, retention: string | null): string | null {
  // One of thousands of years is for ever.
  if (finishedAt === null || retention === null || !/^\d{1,11}$/.test(retention)) return null;
  return new Date(Date.parse(finishedAt) + Number(retention) * 1_000).toISOString();
}

/** Ends a run as cancelled, unless it has ended. @see W13 */
export async function cancelRun(runId: string): Promise<RunSnapshot> {
  return (await ask("POST", `/v1/agent-runs/${runId}/cancel`)) as RunSnapshot;
}

/** Whether an error says that there is no session, or no longer. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof RunEventsError && error.code === "unauthenticated";
}

/** What to tell the user of an error. */
export function messageOf(error: unknown): string {
  return error instanceof RunEventsError ? error.message : "Something went wrong.";
}

async function ask(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  return (await askAnswer(method, path, headers)).value;
}

/** @returns the answer's JSON, and for how many seconds finished runs are kept if it says so */
async function askAnswer(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly value: unknown; readonly retention: string | null }> {
  const { response, text } = await fetchText(path, {
    method,
    headers,
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const value = parseJson(text);
  // An answer that is not JSON came from another program, in the server's place.
  const isOurs = response.status === 204 || (typeof value === "object" && value !== null);
  if (response.ok && isOurs) return { value, retention: response.headers.get("run-retention") };
  const problem = (value ?? {}) as { readonly code?: RunEventsErrorCode; readonly detail?: string };
  const type = response.headers.get("content-type")?.split(";")[0] ?? "without a type";
  throw new RunEventsError(
    problem.code ?? "internal",
    problem.detail ??
      `${method} ${path.split("?")[0]} answered ${response.status} ${type}, not as a run-events server does.`,
  );
}

async function fetchText(
  path: string,
  init: RequestInit,
): Promise<{ readonly response: Response; readonly text: string }> {
  try {
    const response = await fetch(path, init);
    return { response, text: await response.text() };
  } catch (cause) {
    throw new RunEventsError("store_unavailable", "The server does not answer.", { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
