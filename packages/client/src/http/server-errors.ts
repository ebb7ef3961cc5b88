import {
  RunEventsError,
  type RunEventsErrorCode,
  type RunEventsErrorDetails,
} from "@tm/run-events-core";
import { fits } from "./fits.ts";
import type { Call } from "./run-calls.ts";

/** What a run-events server says when it refuses. @see W3 */
interface Problem extends RunEventsErrorDetails {
  readonly code?: RunEventsErrorCode;
  readonly detail?: string;
}

/** The error of an attempt without an answer of the server itself. It is `retryable`. */
export function unanswered(message: string, cause?: unknown): RunEventsError {
  return new RunEventsError("store_unavailable", message, { cause });
}

/** The error of a request that nothing answered. @param cause what `fetch` threw. Node has the code in the cause of that */
export function noAnswer(origin: string, cause: unknown): RunEventsError {
  const { code, cause: inner } = Object(cause) as { readonly code?: unknown; cause?: unknown };
  const codes = [code, (Object(inner) as { readonly code?: unknown }).code];
  const name = codes.find((one) => typeof one === "string");
  return unanswered(
    `No server answers at ${origin}${name === undefined ? "" : `: ${name}`}.`,
    cause,
  );
}

/** The error of an answer that is not the server's own: a proxy gave it, or another program at that address. */
export function strangeAnswer(asked: Call, answer: Response): RunEventsError {
  const { method = "GET", path, answer: wanted } = asked;
  const { ok, status, headers } = answer;
  const type = headers.get("content-type")?.split(";")[0] ?? "without a type";
  const members = ok && wanted ? ` (${String(Object.keys(wanted))})` : "";
  const hint = status < 500 ? "is /v1 passed on to the server" : "is the server up";
  return unanswered(
    `${method} ${path.split("?")[0]} answered ${status} ${type}, not as a run-events server does${members}: ${hint}?`,
  );
}

/** Statuses that count even from a proxy: the same request would be refused again, or must be made later. */
const CODES: Readonly<Record<number, RunEventsErrorCode>> = {
  413: "payload_too_large",
  429: "too_many_requests",
};

/**
 * The error of an answer that is not a success. Only a problem with a code comes from the server itself, and may be final.
 * @param json the body; `null` if it is no JSON
 * @see W3
 */
export function errorOf(asked: Call, answer: Response, json: unknown): RunEventsError {
  const { status, headers } = answer;
  const isProblem = (headers.get("content-type") ?? "").startsWith("application/problem+json");
  const isOwn = isProblem && fits(json, { code: "" });
  const problem: Problem = isOwn ? (json as Problem) : {};
  const strange = strangeAnswer(asked, answer);
  // A date is no number.
  const retryAfterMs = Number(headers.get("retry-after")) * 1_000;
  return new RunEventsError(
    problem.code ?? CODES[status] ?? strange.code,
    problem.detail ?? strange.message,
    {
      retryable: isOwn ? status === 408 || status === 429 || status >= 500 : status !== 413,
      details: { ...problem, ...(retryAfterMs > 0 && { retryAfterMs }) },
    },
  );
}
