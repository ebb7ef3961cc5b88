import type { AppendReceipt, EventDraft } from "@tm/run-events-core";
import {
  checkRunId,
  checkTopic,
  describeValue,
  RUNS_PATH,
  SealedJson,
} from "@tm/run-events-core/wire";
import { type Check, isCount, isPositive, isText, isTextIfAny, type Shape } from "./fits.ts";
import type { EventsQuery, LeaseAsked, ListQuery, NewRun, RunBeginning } from "./queries.ts";

/** The time that the server may hold a poll, in seconds. @see clause W17 in `WIRE.md` */
export const WAIT_SECONDS = 25;

/** The time that the server may take to answer, in seconds, beyond the time that it may hold the answer. */
export const ANSWER_SECONDS = 20;

/**
 * Makes the result of an answer.
 * @throws RunEventsError why the call has failed; anything else if the answer does not come from a run-events server
 */
export type Read = (json: unknown, response: Response, text: string) => unknown;

/** A request, and how its answer is read. */
export interface Call {
  /** As it is without a `basePath`. The server moves it. */
  readonly path: string;
  /** @defaultValue `GET` */
  readonly method?: "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /**
   * The time that the whole answer may take, in seconds.
   * @defaultValue 20
   */
  readonly seconds?: number;
  /** The shape of the answer's JSON; `undefined` if the answer is 204, without a body. */
  readonly answer?: Shape | undefined;
  /** Without it, the result is the JSON as it is. */
  readonly read?: Read;
}

/** The events to read. Without `limit`, the server decides. @see clauses W15 to W17, W45 and W46 in `WIRE.md` */
export interface PageQuery extends RunBeginning, Pick<EventsQuery, "limit"> {
  /** The time that the server may wait for an event, in seconds. */
  readonly wait: number;
}

/** Conditions of an append, and the key that makes it idempotent. @see clauses W10, W11 and W32 in `WIRE.md` of `@tm/run-events-http` */
export interface AppendConditions {
  /**
   * Under the same key the same append lands once.
   * @defaultValue a new UUID, so that a request that is sent again lands once
   */
  readonly idempotencyKey?: string | undefined;
  /** The append lands only if this is the run's last sequence. Without it, the append lands at any sequence. */
  readonly expectedSequence?: number | undefined;
  /** The fence of the lease under which the worker appends. */
  readonly fence?: number | undefined;
}

/** The shape of a run, and of a frame about the run. @see clauses W8 and W22 in `WIRE.md` of `@tm/run-events-http` */
export const RUN: Shape = {
  lastSequence: isCount,
  runStatus: isText,
  currentPhase: isTextIfAny,
};
/** The shape of an event of a page or a frame. @see clauses W15 and W22 in `WIRE.md` of `@tm/run-events-http` */
export const EVENT: Shape = { sequence: isPositive, eventType: isText };
/** The shape of a page of the log. @see clause W15 in `WIRE.md` of `@tm/run-events-http` */
const PAGE: Shape = { ...RUN, events: [EVENT] };
/** @see clause W9 in `WIRE.md` of `@tm/run-events-http` */
const RECEIPT: Shape = { firstSequence: isPositive, ...RUN };
/** @see clause W31 in `WIRE.md` of `@tm/run-events-http` */
const LEASE: Shape = { fence: isPositive, expiresAt: isText };

const JSON_TYPE = { "content-type": "application/json" } as const;

/**
 * The one place where an id becomes part of a path. The ids that pass the check need no escape. An id such as `..`, escaped or not,
 * would make another path.
 * @throws TypeError if the id is not a string
 * @throws RunEventsError `not_found` if no run can have the id
 * @see clause W8 in `WIRE.md`
 */
function runPath(runId: string, rest = ""): string {
  checkRunId(runId);
  return `${RUNS_PATH}/${runId}${rest}`;
}

/**
 * A creation that claims its run has a key, so that it gets the same lease if it is sent again.
 * @throws TypeError if the id is not a string, for example because a variable was never set
 * @see clauses W8 and W34 to W36 in `WIRE.md`
 */
export function createCall(run: NewRun & Partial<LeaseAsked>): Call {
  const { runId = crypto.randomUUID(), metadata, topic, exclusive, leaseMs, worker } = run;
  if (typeof runId !== "string")
    throw new TypeError(`Expected runId to be a string, got ${describeValue(runId)}.`);
  const data = metadata === undefined ? "" : `,"metadata":${SealedJson.of(metadata).text}`;
  const rest = JSON.stringify({ runId, topic, exclusive, leaseMs, worker });
  const call = { path: RUNS_PATH, method: "POST", body: `${rest.slice(0, -1)}${data}}` } as const;
  if (leaseMs === undefined) return { ...call, headers: JSON_TYPE, answer: RUN };
  const headers = { ...JSON_TYPE, "idempotency-key": crypto.randomUUID() };
  return { ...call, headers, answer: { ...RUN, ...LEASE } };
}

/** The append has a key, so that it may be sent again and lands once. @see clauses W9 to W11 and W32 in `WIRE.md` */
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
    ...receiptOf(events.length),
  };
}

/** Reads the receipt of this many events, and checks that it has a sequence for each. @see clause W9 in `WIRE.md` */
function receiptOf(count: number): Pick<Call, "answer" | "read"> {
  const read: Read = (json) => {
    const { firstSequence, lastSequence } = json as AppendReceipt;
    if (lastSequence - firstSequence + 1 !== count)
      throw new TypeError(
        `Expected ${count} sequences in the receipt, got ${firstSequence} to ${lastSequence}.`,
      );
    return json;
  };
  return { answer: RECEIPT, read };
}

/** Conditions of an input. @see clause W39 in `WIRE.md` of `@tm/run-events-http` */
export type InputConditions = Omit<AppendConditions, "fence">;

/** The input has a key, as an append has. @see clause W39 in `WIRE.md` */
export function inputCall(
  runId: string,
  payload: unknown,
  { idempotencyKey = crypto.randomUUID(), expectedSequence }: InputConditions,
): Call {
  const expected = expectedSequence === undefined ? "" : `,"expectedSequence":${expectedSequence}`;
  return {
    path: runPath(runId, "/input"),
    method: "POST",
    headers: { ...JSON_TYPE, "idempotency-key": idempotencyKey },
    body: `{"payload":${SealedJson.of(payload).text}${expected}}`,
    ...receiptOf(1),
  };
}

/** The server refuses a `since` besides `tail`. @see clauses W15 to W17, W45 and W46 in `WIRE.md` */
export function pageCall(runId: string, { since, at, tail, limit, wait }: PageQuery): Call {
  const start = since === undefined ? "" : `since=${since}${sameHistory(at)}&`;
  const most = limit === undefined ? "" : `limit=${limit}&`;
  const end = tail === undefined ? "" : `&tail=${tail}`;
  return {
    path: runPath(runId, `/events?${start}${most}wait=${wait}${end}`),
    seconds: ANSWER_SECONDS + wait,
    // A page that was asked for by its end says where it begins.
    answer: tail === undefined ? PAGE : { ...PAGE, since: isCount },
  };
}

/** @see clauses W19 and W46 in `WIRE.md` */
export function streamCall(runId: string, since: number, at: string | undefined): Call {
  return { path: runPath(runId, `/stream?since=${since}${sameHistory(at)}`) };
}

/** The rest of a query that names the event `since`. @see clause W46 in `WIRE.md` */
function sameHistory(at: string | undefined): string {
  return at === undefined ? "" : `&at=${encodeURIComponent(at)}`;
}

/** @see clause W14 in `WIRE.md` */
export function getCall(runId: string): Call {
  return { path: runPath(runId), answer: RUN };
}

/**
 * Every page but the last has some runs, and another cursor.
 * @throws RunEventsError `invalid_request` for a topic that no run can have: a query would hold it in another form
 * @see clauses W14 and W34 in `WIRE.md`
 */
export function listCall({ topic, ...rest }: ListQuery): Call {
  const query = { ...rest, topic: checkTopic(topic) ?? undefined };
  const filters = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(filters.map(([name, value]) => [name, `${value}`]));
  const isOther: Check = (next) => next === null || (isText(next) && next !== query.cursor);
  return { path: `${RUNS_PATH}?${search}`, answer: { runs: [RUN], nextCursor: isOther } };
}

/** @see clause W13 in `WIRE.md` */
export function cancelCall(runId: string): Call {
  return { path: runPath(runId, "/cancel"), method: "POST", answer: RUN };
}

/** @see clause W14 in `WIRE.md` */
export function deleteCall(runId: string): Call {
  return { path: runPath(runId), method: "DELETE" };
}

/**
 * The claim has a key: if it is sent again because its answer was lost, it gets the same lease.
 * @see clauses W31 and W44 in `WIRE.md`
 */
export function claimCall(runId: string, { leaseMs, worker }: LeaseAsked): Call {
  const headers = { "idempotency-key": crypto.randomUUID() };
  return leaseCall("POST", runId, { leaseMs, worker }, LEASE, headers);
}

/** @see clause W31 in `WIRE.md` */
export function renewCall(runId: string, fence: number, leaseMs: number): Call {
  return leaseCall("PUT", runId, { fence, leaseMs }, LEASE);
}

/** @see clause W31 in `WIRE.md` */
export function releaseCall(runId: string, fence: number): Call {
  return leaseCall("DELETE", runId, { fence });
}

function leaseCall(
  method: "POST" | "PUT" | "DELETE",
  runId: string,
  body: object,
  answer?: Shape,
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
