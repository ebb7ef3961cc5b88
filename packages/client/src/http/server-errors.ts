import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { fits, isCountIfAny, isText, isTextIfAny, type Shape } from "./fits.ts";
import type { Call } from "./run-calls.ts";

type Details = RunEventsError["details"];

/** The body of a refusal by a run-events server. @see clause W3 in `WIRE.md` */
interface Problem extends Details {
  readonly code?: RunEventsErrorCode;
  readonly detail?: string;
}

/** @see clause W3 in `WIRE.md` of `@tm/run-events-http` */
const PROBLEM: Shape = {
  code: isText,
  detail: isTextIfAny,
  lastSequence: isCountIfAny,
  runStatus: isTextIfAny,
  expiresAt: isTextIfAny,
  runId: isTextIfAny,
};

/** The error of an attempt that the server itself did not answer. It is `retryable`. */
export function unanswered(message: string, cause?: unknown): RunEventsError {
  return new RunEventsError("store_unavailable", message, { cause });
}

/** Makes an error to show of a thrown value. Anything but a RunEventsError, such as an error of a credential's function, is `internal`. */
export function toError(cause: unknown): RunEventsError {
  return cause instanceof RunEventsError
    ? cause
    : new RunEventsError("internal", String(cause), { cause });
}

/**
 * The error of a request without any answer.
 * @param cause what `fetch` threw. Node keeps the code in the cause of that error
 */
export function noAnswer(origin: string, cause: unknown): RunEventsError {
  const { code, cause: inner } = Object(cause) as { readonly code?: unknown; cause?: unknown };
  const codes = [code, (Object(inner) as { readonly code?: unknown }).code];
  const name = codes.find((one) => typeof one === "string");
  return unanswered(
    `No server answers at ${origin}${name === undefined ? "" : `: ${name}`}.`,
    cause,
  );
}

/** The error of an answer that does not come from a run-events server, but from a proxy or another program. */
export function strangeAnswer(asked: Call, answer: Response): RunEventsError {
  const { method = "GET", path, answer: wanted } = asked;
  const { ok, status, headers } = answer;
  const type = headers.get("content-type")?.split(";")[0] ?? "without a type";
  const members = ok && wanted ? ` (${String(Object.keys(wanted))})` : "";
  const hint = status < 500 ? "is the path passed on to the server" : "is the server up";
  return unanswered(
    `${method} ${path.split("?")[0]} answered ${status} ${type}, not as a run-events server does${members}: ${hint}?`,
  );
}

/** Statuses that hold even if a proxy sent them: the same request would be refused again, or has to wait. */
const CODES: Readonly<Record<number, RunEventsErrorCode>> = {
  413: "payload_too_large",
  429: "too_many_requests",
};

/**
 * The error of an answer that is not a success. Only a problem with a code comes from the server itself, so only that can be final.
 * @param json the parsed body; `null` if it is not JSON
 * @see clause W3 in `WIRE.md`
 */
export function errorOf(asked: Call, answer: Response, json: unknown): RunEventsError {
  const { status, headers } = answer;
  const isProblem = (headers.get("content-type") ?? "").startsWith("application/problem+json");
  const isOwn = isProblem && fits(json, PROBLEM);
  const problem: Problem = isOwn ? (json as Problem) : {};
  const strange = strangeAnswer(asked, answer);
  // `Retry-After` may also be a date, which gives NaN here.
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
