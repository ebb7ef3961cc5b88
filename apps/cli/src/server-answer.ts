import { RunEventsError, type RunEventsErrorCode, type RunStatus } from "@tm/run-events-core";

/** What came back for a request. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * The error of an answer that is not a success. A problem document of the server says what it is. Any other answer came from a
 * proxy, or from a program in the server's place, and says nothing about the run: the request is tried again, unless its body is
 * too large for the proxy.
 * @param server its name in messages
 * @see W3
 */
export function errorOf(answer: ServerAnswer, server: string): RunEventsError {
  const { status } = answer;
  const problem = problemOf(answer);
  if (problem !== null) {
    const retryable = status === 408 || status === 429 || status >= 500;
    return new RunEventsError(problem.code, problem.detail, { retryable, details: problem });
  }
  const message = `${server} answers ${status}, and not as a run-events server does`;
  if (status === 413) return new RunEventsError("payload_too_large", message);
  return new RunEventsError(status === 429 ? "too_many_requests" : "store_unavailable", message);
}

/** Whether this answer is the server's own, and not a proxy's. */
export function isOfServer({ details }: RunEventsError): boolean {
  return "code" in details;
}

/**
 * The JSON of a success.
 * @param member a member that only the server's own answer has
 * @param server its name in messages
 * @throws RunEventsError `store_unavailable` if another program answered, or the answer is incomplete
 */
export function parseAnswer<T>(text: string, member: string, server: string): T {
  const value = parseObject(text);
  if (value !== null && member in value) return value as T;
  throw new RunEventsError(
    "store_unavailable",
    `${server} does not answer as a run-events server does`,
  );
}

interface Problem {
  /** A newer server may have codes that this program does not know: they are like any other refusal. */
  readonly code: RunEventsErrorCode;
  readonly detail: string;
  readonly runStatus?: RunStatus;
}

/** The server's own problem, if it is one. */
function problemOf({ headers, text }: ServerAnswer): Problem | null {
  const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/problem+json") return null;
  const value = parseObject(text);
  const isOurs =
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "detail" in value &&
    typeof value.detail === "string";
  return isOurs ? (value as Problem) : null;
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    // A page, or a text that was cut off.
    return null;
  }
}

/** Why there was no answer, in a word: the cause's code, since `fetch failed` says nothing. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
