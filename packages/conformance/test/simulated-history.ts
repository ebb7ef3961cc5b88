import { isTerminal, type RunStatus, statusAfter } from "@tm/run-events-core";
import fc from "fast-check";
import type {
  AppendOperation,
  AppendResult,
  History,
  LoggedEvent,
  Operation,
  ReadOperation,
} from "../src/history/operation.ts";

/** A run as the contract has it, in the plainest way. */
export interface SimulatedRun {
  readonly log: LoggedEvent[];
  readonly keys: Map<
    string,
    { readonly first: string; readonly from: number; readonly to: number }
  >;
}

/** What a call asks, before anybody has answered it. */
export type Question =
  | Pick<AppendOperation, "kind" | "ids" | "idempotencyKey" | "expectedSequence">
  | { readonly kind: "read"; readonly since: number; readonly limit: number };

const TYPES = ["TOKEN", "TOKEN", "TOKEN", "PHASE_STARTED", "RUN_COMPLETED"];

/** The event that a name stands for: its type is its last letter. */
export function loggedEvent(id: string): LoggedEvent {
  const eventType = TYPES[Number(id.at(-1))] ?? "TOKEN";
  return { id, runStatus: statusAfter(eventType), startsPhase: eventType === "PHASE_STARTED" };
}

function statusOf(log: readonly LoggedEvent[]): RunStatus {
  return log.at(-1)?.runStatus ?? "queued";
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
      ? { outcome: "replayed", firstSequence: kept.from, lastSequence: kept.to }
      : { outcome: "idempotency_key_reused" };
  }
  const lastSequence = log.length;
  const runStatus = statusOf(log);
  if (isTerminal(runStatus)) return { outcome: "finished", runStatus, lastSequence };
  if (expectedSequence !== null && expectedSequence !== lastSequence) {
    return { outcome: "sequence_conflict", lastSequence };
  }
  log.push(...ids.map(loggedEvent));
  const landing = { firstSequence: lastSequence + 1, lastSequence: log.length };
  if (idempotencyKey !== null) {
    keys.set(idempotencyKey, {
      first: ids[0],
      from: landing.firstSequence,
      to: landing.lastSequence,
    });
  }
  return { outcome: "appended", ...landing };
}

/** A page of the run as it stands. */
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
    phaseId: log.findLast(({ startsPhase }) => startsPhase)?.id ?? null,
  };
}

interface Planned {
  readonly question: (index: number) => Question;
  readonly begunAt: number;
  /** From the beginning to the instant at which it happens, and from there to the answer. */
  readonly spans: readonly [number, number];
  /** An append may stay without an answer, and may then land or not. */
  readonly fate: "answered" | "unknown" | "lost";
}

const key = fc.constantFrom(null, null, "k", "k", "l");
const size = fc.integer({ min: 1, max: 2 });
const type = fc.nat(TYPES.length - 1);
const question: fc.Arbitrary<Planned["question"]> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({
        key,
        size,
        type,
        expected: fc.constantFrom(null, null, 0, 1, 2),
        own: fc.constantFrom(true, false, false),
      })
      .map(({ key: idempotencyKey, size: count, type: last, expected: expectedSequence, own }) => {
        return (index: number): Question => {
          const name = idempotencyKey === null || own ? `${index}` : idempotencyKey;
          // A key's own batch is always the same.
          const [length, end] = name === idempotencyKey ? [name === "k" ? 1 : 2, 0] : [count, last];
          const ids = Array.from(
            { length },
            (_, at) => `${name}.${at}.${at === length - 1 ? end : 0}`,
          );
          return {
            kind: "append",
            ids: ids as [string, ...string[]],
            idempotencyKey,
            expectedSequence,
          };
        };
      }),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ since: fc.nat(3), limit: fc.integer({ min: 1, max: 4 }) })
      .map((page) => (): Question => ({ kind: "read", ...page })),
  },
);
const planned: fc.Arbitrary<Planned> = fc.record({
  question,
  begunAt: fc.nat(12),
  spans: fc.tuple(fc.nat(6), fc.nat(6)),
  fate: fc.constantFrom("answered", "answered", "answered", "unknown", "lost"),
});

/** A history that really can have happened: every call takes effect at one instant between its beginning and its end. */
export function historyArbitrary(most: number): fc.Arbitrary<History> {
  return fc.array(planned, { minLength: 1, maxLength: most, size: "max" }).map((calls) => {
    const run: SimulatedRun = { log: [], keys: new Map() };
    const operations = calls
      // No two instants are the same.
      .map((call, index) => ({
        call,
        index,
        at: call.begunAt + call.spans[0] + (index + 0.5) / 100,
      }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ call, index, at }): Operation => {
        const asked = call.question(index);
        const begunAt = call.begunAt + (index + 0.25) / 100;
        const endedAt = at + call.spans[1] + 0.001;
        const base = { client: String(index), runId: "run", begunAt };
        if (asked.kind === "read") {
          return { ...base, kind: "read", endedAt, ...readFrom(run, asked.since, asked.limit) };
        }
        const append = { ...base, ...asked, call: 1 };
        if (call.fate === "lost")
          return { ...append, endedAt: null, result: { outcome: "unknown" } };
        const result = appendTo(run, asked);
        return call.fate === "unknown"
          ? { ...append, endedAt: null, result: { outcome: "unknown" } }
          : { ...append, endedAt, result };
      });
    return { operations, logs: new Map([["run", run.log]]) };
  });
}
