import { isTerminal, type RunStatus } from "@tm/run-events-core";
import { changeOf, statusAfter } from "../../core/src/rules/lifecycle.ts";
import fc from "fast-check";
import type {
  AppendOperation,
  AppendResult,
  History,
  LoggedEvent,
  Operation,
  ReadOperation,
} from "../src/history/operation.ts";

type Landing = Omit<Extract<AppendResult, { readonly firstSequence: number }>, "outcome">;

/** A run as the contract has it, in the plainest way. */
export interface SimulatedRun {
  readonly log: LoggedEvent[];
  readonly keys: Map<string, { readonly first: string; readonly landing: Landing }>;
}

/** What a call asks, before it is answered. */
export type Question =
  | Pick<AppendOperation, "kind" | "ids" | "idempotencyKey" | "expectedSequence">
  | { readonly kind: "read"; readonly since: number; readonly limit: number };

const TYPES = ["TOKEN", "TOKEN", "TOKEN", "PHASE_STARTED", "RUN_COMPLETED"];

/** The event of a name, on a run in this status: its type is its last letter. */
export function loggedEvent(id: string, before: RunStatus = "running"): LoggedEvent {
  const eventType = TYPES[Number(id.at(-1))] ?? "TOKEN";
  const runStatus = statusAfter(before, changeOf([{ eventType }]));
  return { id, runStatus, startsPhase: eventType === "PHASE_STARTED" };
}

function statusOf(log: readonly LoggedEvent[]): RunStatus {
  return log.at(-1)?.runStatus ?? "queued";
}

function phaseIdOf(log: readonly LoggedEvent[]): string | null {
  return log.findLast(({ startsPhase }) => startsPhase)?.id ?? null;
}

/** Answers an append as S5 has it, and does it. */
export function appendTo(
  run: SimulatedRun,
  asked: Extract<Question, { kind: "append" }>,
): AppendResult {
  const { ids, idempotencyKey, expectedSequence } = asked;
  const { log, keys } = run;
  const kept = idempotencyKey === null ? undefined : keys.get(idempotencyKey);
  if (kept !== undefined) {
    return kept.first === ids[0]
      ? { outcome: "replayed", ...kept.landing }
      : { outcome: "idempotency_key_reused" };
  }
  const lastSequence = log.length;
  const runStatus = statusOf(log);
  if (isTerminal(runStatus)) return { outcome: "finished", runStatus, lastSequence };
  if (expectedSequence !== null && expectedSequence !== lastSequence) {
    return { outcome: "sequence_conflict", lastSequence };
  }
  for (const id of ids) log.push(loggedEvent(id, statusOf(log)));
  const landing = {
    firstSequence: lastSequence + 1,
    lastSequence: log.length,
    runStatus: statusOf(log),
    phaseId: phaseIdOf(log),
  };
  if (idempotencyKey !== null) keys.set(idempotencyKey, { first: ids[0], landing });
  return { outcome: "appended", ...landing };
}

/** A page of the run as it is. */
export function readFrom(
  { log }: SimulatedRun,
  since: number,
  limit: number,
): Pick<ReadOperation, "since" | "ids" | "lastSequence" | "runStatus" | "phaseId"> {
  return {
    since,
    ids: log.slice(since, since + limit).map(({ id }) => id),
    lastSequence: log.length,
    runStatus: statusOf(log),
    phaseId: phaseIdOf(log),
  };
}

/** One request of a call, or its only one. */
interface PlannedRequest {
  readonly question: (name: string) => Question;
  /** From the request before it to the instant at which it happens. */
  readonly span: number;
  /** Without an answer it may not happen. */
  readonly isLost: boolean;
}

interface Planned {
  readonly requests: readonly PlannedRequest[];
  readonly begunAt: number;
  /** From the last instant to the answer. */
  readonly span: number;
  /** The answer of a call of appends may stay out. */
  readonly isAnswered: boolean;
}

/** The most requests of one call. */
const CALL_REQUESTS = 3;
const key = fc.constantFrom(null, null, "k", "k", "l");
const size = fc.integer({ min: 1, max: 2 });
const type = fc.nat(TYPES.length - 1);
const appendQuestion: fc.Arbitrary<PlannedRequest["question"]> = fc
  .record({
    key,
    size,
    type,
    expected: fc.constantFrom(null, null, 0, 1, 2),
    own: fc.constantFrom(true, false, false),
  })
  .map(({ key: idempotencyKey, size: count, type: last, expected: expectedSequence, own }) => {
    return (call: string): Question => {
      const name = idempotencyKey === null || own ? call : idempotencyKey;
      // A key's own batch is always the same.
      const [length, end] = name === idempotencyKey ? [name === "k" ? 1 : 2, 0] : [count, last];
      const ids = Array.from({ length }, (_, at) => `${name}.${at}.${at === length - 1 ? end : 0}`);
      return {
        kind: "append",
        ids: ids as [string, ...string[]],
        idempotencyKey,
        expectedSequence,
      };
    };
  });
const readQuestion: fc.Arbitrary<PlannedRequest["question"]> = fc
  .record({ since: fc.nat(3), limit: fc.integer({ min: 1, max: 4 }) })
  .map((page) => (): Question => ({ kind: "read", ...page }));

function requestArbitrary(
  question: fc.Arbitrary<PlannedRequest["question"]>,
): fc.Arbitrary<PlannedRequest> {
  return fc.record({ question, span: fc.nat(5), isLost: fc.boolean() });
}

const planned: fc.Arbitrary<Planned> = fc.record({
  requests: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(requestArbitrary(appendQuestion), {
        minLength: 1,
        maxLength: CALL_REQUESTS,
      }),
    },
    { weight: 2, arbitrary: fc.tuple(requestArbitrary(readQuestion)) },
  ),
  begunAt: fc.nat(12),
  span: fc.nat(6),
  isAnswered: fc.constantFrom(true, true, false),
});

/** A request with its instants, no two of which are the same. */
interface Timed extends PlannedRequest {
  readonly client: string;
  readonly name: string;
  readonly begunAt: number;
  readonly at: number;
  readonly endedAt: number;
  readonly isAnswered: boolean;
}

function timeRequests(call: Planned, index: number): readonly Timed[] {
  let happens = call.begunAt;
  const instants = call.requests.map(({ span }, request) => {
    happens += span;
    return happens + (index + 0.5) / 100 + request / 1_000;
  });
  return call.requests.map((request, number) => ({
    ...request,
    client: String(index),
    name: call.requests.length === 1 ? `${index}` : `${index}${"abc"[number]}`,
    begunAt: call.begunAt + (index + 0.25) / 100,
    at: instants[number] ?? 0,
    endedAt: (instants.at(-1) ?? 0) + call.span + 0.001,
    isAnswered: call.isAnswered,
  }));
}

/**
 * A history that really can have happened: every request takes effect at one instant between the beginning and the end of its
 * call, after those before it in the call.
 * @param most requests
 */
export function historyArbitrary(most: number): fc.Arbitrary<History> {
  return fc.array(planned, { minLength: 1, maxLength: most, size: "max" }).map((calls) => {
    const run: SimulatedRun = { log: [], keys: new Map() };
    const operations = calls
      .flatMap(timeRequests)
      .slice(0, most)
      .toSorted((a, b) => a.at - b.at)
      .map((timed) => happen(timed, run));
    return { operations, logs: new Map([["run", run.log]]) };
  });
}

function happen(timed: Timed, run: SimulatedRun): Operation {
  const { client, name, begunAt, endedAt, isAnswered } = timed;
  const asked = timed.question(name);
  const base = { client, runId: "run", begunAt };
  if (asked.kind === "read") {
    return { ...base, kind: "read", endedAt, ...readFrom(run, asked.since, asked.limit) };
  }
  const append = { ...base, ...asked, call: 1, fence: null, byOwner: false, ends: null };
  if (isAnswered) return { ...append, endedAt, result: appendTo(run, asked) };
  if (!timed.isLost) appendTo(run, asked);
  return { ...append, endedAt: null, result: { outcome: "unknown" } };
}
