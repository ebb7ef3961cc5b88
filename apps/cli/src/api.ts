import {
  type AppendReceipt,
  type Claim,
  type RunSnapshot,
  type RunStatus,
  RunEventsError,
  type RunEventsErrorCode,
} from "@tm/run-events-core";
import { splitJsonArray, splitJsonObject } from "@tm/run-events-core/wire";
import type { Target } from "./parse-command.ts";

/** How long an answer may take beyond the time that the request itself asks for, in milliseconds. */
const ANSWER_MS = 20_000;

/** A page of a run's events. @see W15, W16 */
export interface Page {
  /** Each event as the JSON text that the server sent. */
  readonly events: readonly string[];
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  readonly lastSequence: number;
}

/** A page of the caller's runs. @see W14 */
export interface RunList {
  readonly runs: readonly RunSnapshot[];
  readonly nextCursor: string | null;
  /** How long the server keeps a run that has finished, in milliseconds; `null` if it does not say that one goes. */
  readonly retentionMs: number | null;
}

/**
 * The server. Each call is one request; each rejects with a `RunEventsError` of the problem's code, `store_unavailable` and
 * `retryable` if there was no answer, or with the reason of the signal.
 */
export interface Api {
  createRun(
    run: { readonly runId: string; readonly metadata: unknown },
    signal?: AbortSignal,
  ): Promise<RunSnapshot>;
  /** @param events the JSON text of each */
  append(
    runId: string,
    events: readonly string[],
    conditions: { readonly idempotencyKey: string; readonly fence: number },
    signal?: AbortSignal,
  ): Promise<AppendReceipt>;
  /** @see W31 */
  claim(runId: string, leaseMs: number): Promise<Claim>;
  renew(runId: string, fence: number, leaseMs: number, signal?: AbortSignal): Promise<Claim>;
  readPage(
    runId: string,
    query: { readonly since: number; readonly limit: number; readonly waitSeconds: number },
    signal?: AbortSignal,
  ): Promise<Page>;
  listRuns(query: {
    readonly status: RunStatus | null;
    readonly cursor: string | null;
  }): Promise<RunList>;
  cancel(runId: string): Promise<RunSnapshot>;
}

/** An answer that is no refusal. */
interface Answer {
  readonly text: string;
  readonly headers: Headers;
}

interface Call {
  readonly method?: "POST" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly waitSeconds?: number;
  /** Whether the server has had the run: a 404 that is no problem of its own is then that of something on the way. */
  readonly isThere?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Talks to the server as the token's user. */
export function createApi({ url, token }: Target): Api {
  async function ask(path: string, call: Call = {}): Promise<Answer> {
    const { method = "GET", headers = {}, body, waitSeconds = 0, isThere = false, signal } = call;
    const tooLate = AbortSignal.timeout(waitSeconds * 1_000 + ANSWER_MS);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: signal === undefined ? tooLate : AbortSignal.any([signal, tooLate]),
      });
      text = await response.text();
    } catch (cause) {
      signal?.throwIfAborted();
      throw new RunEventsError("store_unavailable", `${url} does not answer (${reasonOf(cause)})`, {
        cause,
      });
    }
    const { ok, status, headers: said } = response;
    if (!ok) throw errorOf({ status, text }, isThere);
    return { text, headers: said };
  }

  async function call(path: string, call: Call = {}): Promise<string> {
    return (await ask(path, call)).text;
  }

  const json = { "content-type": "application/json" };
  return {
    async createRun(run, signal) {
      const body = JSON.stringify(run);
      return parse(await call("/v1/agent-runs", { method: "POST", headers: json, body, signal }));
    },
    async append(runId, events, { idempotencyKey, fence }, signal) {
      const headers = { ...json, "idempotency-key": idempotencyKey, "run-fence": `${fence}` };
      const body = `{"events":[${events.join(",")}]}`;
      const path = `/v1/agent-runs/${runId}/events`;
      return parse(await call(path, { method: "POST", headers, body, isThere: true, signal }));
    },
    async claim(runId, leaseMs) {
      const body = JSON.stringify({ leaseMs });
      const path = `/v1/agent-runs/${runId}/claim`;
      return parse(await call(path, { method: "POST", headers: json, body }));
    },
    async renew(runId, fence, leaseMs, signal) {
      const body = JSON.stringify({ fence, leaseMs });
      const path = `/v1/agent-runs/${runId}/claim`;
      return parse(await call(path, { method: "PUT", headers: json, body, isThere: true, signal }));
    },
    async readPage(runId, { since, limit, waitSeconds }, signal) {
      const path = `/v1/agent-runs/${runId}/events?since=${since}&limit=${limit}&wait=${waitSeconds}`;
      const text = await call(path, { waitSeconds, signal });
      const page = parse<Omit<Page, "events">>(text);
      const events = splitJsonObject(text).find(({ key }) => key === "events")?.text ?? "[]";
      return { ...page, events: splitJsonArray(events) };
    },
    async listRuns({ status, cursor }) {
      const query = new URLSearchParams({
        ...(status === null ? {} : { status }),
        ...(cursor === null ? {} : { cursor }),
      });
      const { text, headers } = await ask(`/v1/agent-runs?${query}`);
      return {
        ...parse<Omit<RunList, "retentionMs">>(text),
        retentionMs: parseRetention(headers.get("run-retention")),
      };
    },
    async cancel(runId) {
      return parse(await call(`/v1/agent-runs/${runId}/cancel`, { method: "POST" }));
    },
  };
}

/** In milliseconds; `null` for none, and for one of thousands of years. */
function parseRetention(text: string | null): number | null {
  return text !== null && /^\d{1,11}$/.test(text) ? Number(text) * 1_000 : null;
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    // Something on the way may have answered, as while the server is being replaced: worth another try.
    throw new RunEventsError(
      "store_unavailable",
      "The answer is not that of a run-events server.",
      { cause },
    );
  }
}

/** The error of an answer, which need not be a problem of ours: a proxy may have made it. @see W3 */
function errorOf(
  answer: { readonly status: number; readonly text: string },
  isThere: boolean,
): RunEventsError {
  const problem = problemOf(answer.text);
  const isBetween = isThere && answer.status === 404 && problem === null;
  const status = isBetween ? 502 : answer.status;
  const retryable = status === 429 || status >= 500;
  return new RunEventsError(
    problem?.code ?? CODE.get(status) ?? (retryable ? "store_unavailable" : "internal"),
    problem?.detail ?? `The server answers ${answer.status}.`,
    { retryable, details: problem ?? {} },
  );
}

const CODE: ReadonlyMap<number, RunEventsErrorCode> = new Map([
  [401, "unauthenticated"],
  [404, "not_found"],
  [429, "too_many_requests"],
]);

interface Problem {
  /** A newer server may have codes that this program does not know: they are like any other refusal. */
  readonly code: RunEventsErrorCode;
  readonly detail: string;
  readonly runStatus?: RunStatus;
}

function problemOf(text: string): Problem | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No problem of ours: the status has to do.
    return null;
  }
  return typeof value === "object" && value !== null && "code" in value && "detail" in value
    ? (value as Problem)
    : null;
}

/** `fetch failed` says nothing: its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
