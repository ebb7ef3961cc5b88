import type { EventDraft, RunStatus } from "@tm/run-events-core";
import { checkRunId, SealedJson } from "@tm/run-events-core/wire";
import { fits, type ObjectShape } from "./fits.ts";

/** How long the server may hold a poll, in seconds. @see W17 */
export const WAIT_SECONDS = 25;

/** Makes something else of an answer. @throws if the answer is not the server's own */
export type Read = (json: unknown, response: Response, text: string) => unknown;

/** A request, and how its answer is read. */
export interface Call {
  readonly path: string;
  /** Default `GET`. */
  readonly method?: "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long the server may hold the answer, in seconds. Default 0. */
  readonly heldSeconds?: number;
  /** What the JSON of its answer has; `undefined` if the answer is 204, without a body. */
  readonly answer?: ObjectShape | undefined;
  /** Default the JSON as it is. */
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

/** A run and a receipt. @see W8, W9 */
const RUN = { lastSequence: 0, runStatus: "" } as const;
/** An event of a page or of a frame. @see W15, W22 */
export const EVENT = { sequence: 0, eventType: "" } as const;
/** @see W31 */
const LEASE = { fence: 0 } as const;

const RUNS = "/v1/agent-runs";
const JSON_TYPE = { "content-type": "application/json" } as const;

/**
 * The one place where an id becomes part of a path. What it lets through needs no escape: `..`, escaped or not, would make the path of
 * something else.
 * @throws TypeError for what is no string; RunEventsError `not_found` for an id that no run can have. @see W8
 */
function runPath(runId: string, rest = ""): string {
  checkRunId(runId);
  return `${RUNS}/${runId}${rest}`;
}

/** @see W8 */
export function createCall(runId: string, metadata: unknown): Call {
  const data = metadata === undefined ? "" : `,"metadata":${SealedJson.of(metadata).text}`;
  const body = `{"runId":${JSON.stringify(runId)}${data}}`;
  return { path: RUNS, method: "POST", headers: JSON_TYPE, body, answer: RUN };
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
    answer: RUN,
  };
}

/** Of a page, what where the run stands needs: who takes its events checks them with `readPage`. @see W15-W17 */
export function pageCall(runId: string, { since, limit, wait }: PageQuery): Call {
  const most = limit === undefined ? "" : `&limit=${limit}`;
  return {
    path: runPath(runId, `/events?since=${since}${most}&wait=${wait}`),
    heldSeconds: wait,
    answer: RUN,
  };
}

/** Takes a page with its events. */
export const readPage = <T>(json: T): T => checkItems(json, "events", EVENT);

/** Takes a list of runs. */
export const readRuns = <T>(json: T): T => checkItems(json, "runs", RUN);

function checkItems<T>(json: T, name: string, item: ObjectShape): T {
  const items = (json as Readonly<Record<string, unknown>>)[name] as readonly unknown[];
  if (!items.every((one) => fits(one, item))) throw new TypeError("Not an item of the server's.");
  return json;
}

/** @see W19 */
export function streamCall(runId: string, since: number): Call {
  return { path: runPath(runId, `/stream?since=${since}`) };
}

/** @see W14 */
export function getCall(runId: string): Call {
  return { path: runPath(runId), answer: RUN };
}

/** @see W14 */
export function listCall(query: {
  readonly status?: RunStatus | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}): Call {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, `${value}`]));
  return { path: `${RUNS}?${search}`, answer: { runs: [] } };
}

/** @see W13 */
export function cancelCall(runId: string): Call {
  return { path: runPath(runId, "/cancel"), method: "POST", answer: RUN };
}

/** @see W14 */
export function deleteCall(runId: string): Call {
  return { path: runPath(runId), method: "DELETE" };
}

/**
 * A claim has a key: if it is sent again because its answer was lost, it gets the same lease.
 * @see W31
 */
export function claimCall(runId: string, leaseMs: number): Call {
  const headers = { "idempotency-key": crypto.randomUUID() };
  return leaseCall("POST", runId, { leaseMs }, LEASE, headers);
}

/** @see W31 */
export function renewCall(runId: string, fence: number, leaseMs: number): Call {
  return leaseCall("PUT", runId, { fence, leaseMs }, LEASE);
}

/** @see W31 */
export function releaseCall(runId: string, fence: number): Call {
  return leaseCall("DELETE", runId, { fence });
}

function leaseCall(
  method: "POST" | "PUT" | "DELETE",
  runId: string,
  body: object,
  answer?: ObjectShape,
  headers?: Readonly<Record<string, string>>,
): Call {
  return {
    path: runPath(runId, "/claim"),
    method,
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
    answer,
  };
}

const SESSION = "/v1/session";

/** @see W29 */
export function sessionCall(): Call {
  return { path: SESSION, answer: { userId: "" } };
}

/** @see W29 */
export function openSessionCall(token: string): Call {
  const headers = { authorization: `Bearer ${token}` };
  return { path: SESSION, method: "POST", headers };
}

/** @see W29 */
export function closeSessionCall(): Call {
  return { path: SESSION, method: "DELETE" };
}
