import type { EventDraft, RunStatus } from "@tm/run-events-core";
import { SealedJson } from "@tm/run-events-core/wire";

/** How long the server may hold a poll, in seconds. @see W17 */
export const WAIT_SECONDS = 25;

/** Reads an answer. @returns `undefined`, or throws, if the answer is not the server's own */
export type Read = (text: string, response: Response) => unknown;

/** A request, and how its answer is read. */
export interface Call {
  readonly path: string;
  /** Default `GET`. */
  readonly method?: "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long the server may hold the answer, in seconds. Default 0. */
  readonly heldSeconds?: number;
  /** Default `readJson`. */
  readonly read?: Read;
}

/** Which events to read. @see W15-W17 */
export interface PageQuery {
  readonly since: number;
  /** Default the server's. */
  readonly limit?: number | undefined;
  /** How long the server may wait for an event, in seconds. */
  readonly wait: number;
}

/** What an append may ask for. @see W10, W11, W32 */
export interface AppendConditions {
  /** Default: a new one, so that a request that is sent again lands once. */
  readonly idempotencyKey?: string | undefined;
  readonly expectedSequence?: number | undefined;
  readonly fence?: number | undefined;
}

/** Every JSON answer of the server has one of these members: of a run, a page or a receipt; a lease; a list; a session. */
const MEMBERS = ["lastSequence", "fence", "runs", "userId"] as const;

/** Reads the JSON of an answer. @returns `undefined`, or throws, if the answer is not the server's own */
export function readJson(
  text: string,
  parse: (text: string) => unknown = JSON.parse,
): Readonly<Record<string, unknown>> | undefined {
  const json = parse(text) as Readonly<Record<string, unknown>> | null;
  return json && MEMBERS.some((member) => json[member] !== undefined) ? json : undefined;
}

const readNothing: Read = (_text, { status }) => (status === 204 ? null : undefined);

const RUNS = "/v1/agent-runs";
const JSON_TYPE = { "content-type": "application/json" } as const;

function runPath(runId: string, rest = ""): string {
  return `${RUNS}/${encodeURIComponent(runId)}${rest}`;
}

/** @see W8 */
export function createCall(runId: string, metadata: unknown): Call {
  const data = metadata === undefined ? "" : `,"metadata":${SealedJson.of(metadata).text}`;
  const body = `{"runId":${JSON.stringify(runId)}${data}}`;
  return { path: RUNS, method: "POST", headers: JSON_TYPE, body };
}

/** Has a key, so that it may be sent again and lands once. @see W9-W11, W32 */
export function appendCall(
  runId: string,
  events: readonly EventDraft[],
  { idempotencyKey = crypto.randomUUID(), expectedSequence, fence }: AppendConditions,
): Call {
  const texts = events.map(
    ({ eventType, payload }) =>
      `{"eventType":${JSON.stringify(eventType)},"payload":${SealedJson.of(payload).text}}`,
  );
  const expected = expectedSequence === undefined ? "" : `,"expectedSequence":${expectedSequence}`;
  return {
    path: runPath(runId, "/events"),
    method: "POST",
    headers: {
      ...JSON_TYPE,
      "idempotency-key": idempotencyKey,
      ...(fence !== undefined && { "run-fence": `${fence}` }),
    },
    body: `{"events":[${texts.join()}]${expected}}`,
  };
}

/** @see W15-W17 */
export function pageCall(runId: string, { since, limit, wait }: PageQuery): Call {
  const most = limit === undefined ? "" : `&limit=${limit}`;
  return {
    path: runPath(runId, `/events?since=${since}${most}&wait=${wait}`),
    heldSeconds: wait,
  };
}

/** @see W19 */
export function streamCall(runId: string, since: number): Call {
  return { path: runPath(runId, `/stream?since=${since}`) };
}

/** @see W14 */
export function getCall(runId: string): Call {
  return { path: runPath(runId) };
}

/** @see W14 */
export function listCall(query: {
  readonly status?: RunStatus | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}): Call {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, `${value}`]));
  return { path: `${RUNS}?${search}` };
}

/** @see W13 */
export function cancelCall(runId: string): Call {
  return { path: runPath(runId, "/cancel"), method: "POST" };
}

/** @see W14 */
export function deleteCall(runId: string): Call {
  return { path: runPath(runId), method: "DELETE", read: readNothing };
}

/**
 * A claim has a key: if it is sent again because its answer was lost, it gets the same lease.
 * @see W31
 */
export function claimCall(runId: string, leaseMs: number): Call {
  return leaseCall("POST", runId, { leaseMs }, { "idempotency-key": crypto.randomUUID() });
}

/** @see W31 */
export function renewCall(runId: string, fence: number, leaseMs: number): Call {
  return leaseCall("PUT", runId, { fence, leaseMs });
}

/** @see W31 */
export function releaseCall(runId: string, fence: number): Call {
  return { ...leaseCall("DELETE", runId, { fence }), read: readNothing };
}

function leaseCall(
  method: "POST" | "PUT" | "DELETE",
  runId: string,
  body: object,
  headers?: Readonly<Record<string, string>>,
): Call {
  return {
    path: runPath(runId, "/claim"),
    method,
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  };
}

const SESSION = "/v1/session";

/** @see W29 */
export function sessionCall(): Call {
  return { path: SESSION };
}

/** @see W29 */
export function openSessionCall(token: string): Call {
  const headers = { authorization: `Bearer ${token}` };
  return { path: SESSION, method: "POST", headers, read: readNothing };
}

/** @see W29 */
export function closeSessionCall(): Call {
  return { path: SESSION, method: "DELETE", read: readNothing };
}
