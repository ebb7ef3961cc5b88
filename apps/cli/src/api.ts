import {
  type AppendReceipt,
  type Claim,
  type RunSnapshot,
  type RunStatus,
  RunEventsError,
} from "@tm/run-events-core";
import { splitJsonArray, splitJsonObject } from "@tm/run-events-core/wire";
import type { Target } from "./parse-command.ts";
import { errorOf, parseAnswer, reasonOf, type ServerAnswer } from "./server-answer.ts";

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
 * `retryable` if there was no answer of the server's own, or with the reason of the signal.
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
  /** @param idempotencyKey finds the lease that an earlier claim under it got, while that lease runs. @see W31 */
  claim(runId: string, leaseMs: number, idempotencyKey: string): Promise<Claim>;
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

interface Call {
  readonly method?: "POST" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly waitSeconds?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Talks to the server as the token's user. */
export function createApi({ url, token }: Target): Api {
  const server = serverOf(url);

  async function ask(path: string, call: Call = {}): Promise<ServerAnswer> {
    const { method = "GET", headers = {}, body, waitSeconds = 0, signal } = call;
    const answerMs = waitSeconds * 1_000 + ANSWER_MS;
    const tooLate = AbortSignal.timeout(answerMs);
    let answer: ServerAnswer;
    let ok: boolean;
    try {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: signal === undefined ? tooLate : AbortSignal.any([signal, tooLate]),
      });
      ok = response.ok;
      const { status, headers: said } = response;
      answer = { status, headers: said, text: await response.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      const reason = tooLate.aborted ? `no answer in ${answerMs / 1_000} s` : reasonOf(cause);
      throw new RunEventsError("store_unavailable", `${server} does not answer (${reason})`, {
        cause,
      });
    }
    if (!ok) throw errorOf(answer, server);
    return answer;
  }

  async function call<T>(member: string, path: string, call: Call = {}): Promise<T> {
    return parseAnswer((await ask(path, call)).text, member, server);
  }

  const json = { "content-type": "application/json" };
  return {
    async createRun(run, signal) {
      const body = JSON.stringify(run);
      return call("runStatus", "/v1/agent-runs", { method: "POST", headers: json, body, signal });
    },
    async append(runId, events, { idempotencyKey, fence }, signal) {
      const headers = { ...json, "idempotency-key": idempotencyKey, "run-fence": `${fence}` };
      const body = `{"events":[${events.join(",")}]}`;
      const path = `/v1/agent-runs/${runId}/events`;
      return call("lastSequence", path, { method: "POST", headers, body, signal });
    },
    async claim(runId, leaseMs, idempotencyKey) {
      const headers = { ...json, "idempotency-key": idempotencyKey };
      const body = JSON.stringify({ leaseMs });
      const path = `/v1/agent-runs/${runId}/claim`;
      return call("fence", path, { method: "POST", headers, body });
    },
    async renew(runId, fence, leaseMs, signal) {
      const body = JSON.stringify({ fence, leaseMs });
      const path = `/v1/agent-runs/${runId}/claim`;
      return call("fence", path, { method: "PUT", headers: json, body, signal });
    },
    async readPage(runId, { since, limit, waitSeconds }, signal) {
      const path = `/v1/agent-runs/${runId}/events?since=${since}&limit=${limit}&wait=${waitSeconds}`;
      const { text } = await ask(path, { waitSeconds, signal });
      const page = parseAnswer<Omit<Page, "events">>(text, "events", server);
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
        ...parseAnswer<Omit<RunList, "retentionMs">>(text, "runs", server),
        retentionMs: parseRetention(headers.get("run-retention")),
      };
    },
    async cancel(runId) {
      return call("runStatus", `/v1/agent-runs/${runId}/cancel`, { method: "POST" });
    },
  };
}

/** In milliseconds; `null` for none, and for one of thousands of years. */
function parseRetention(text: string | null): number | null {
  return text !== null && /^\d{1,11}$/.test(text) ? Number(text) * 1_000 : null;
}

/** The server as messages name it: its host and port. */
function serverOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}
