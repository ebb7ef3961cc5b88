import { isTerminal } from "@tm/run-events-core";
import {
  INITIAL_STATE,
  NO_LEASE,
  type RunRecord,
  type RunState,
  type StoredEvent,
} from "@tm/run-events-core/store";
import { foldEvent } from "@tm/run-events-core/wire";

/** What Emmett is given of an event, and gives back. */
export interface StreamEvent {
  readonly type: string;
  /** Emmett's data are objects, and a payload may be any JSON value. */
  readonly data: { readonly payload: unknown };
  /** Emmett keeps a time of its own, and does not tell it. */
  readonly metadata: { readonly createdAtMs: number };
}

/** What Emmett has no place for: the run next to its stream. */
export type RunFacts = Pick<
  RunRecord,
  "runId" | "ownerId" | "ordinal" | "createdAtMs" | "metadata" | "topic"
>;

/** A run as its stream shows it. */
export interface StreamRun {
  readonly run: RunRecord;
  readonly events: readonly StoredEvent[];
  /** Phase and status after each event. */
  readonly states: readonly RunState[];
}

/** Folds a whole stream, as state is had from Emmett. */
export function foldStream(facts: RunFacts, stream: readonly StreamEvent[]): StreamRun {
  const events: StoredEvent[] = [];
  const states: RunState[] = [];
  let state = INITIAL_STATE;
  let { createdAtMs } = facts;
  for (const { type: eventType, data, metadata } of stream) {
    const payload = encodePayload(data.payload);
    state = foldEvent(state, { eventType, payload });
    // Two writers' clocks may have been read in another order than they were let in.
    createdAtMs = Math.max(createdAtMs, metadata.createdAtMs);
    events.push({ sequence: events.length + 1, eventType, payload, createdAtMs });
    states.push(state);
  }
  const finishedAtMs = isTerminal(state.runStatus) ? createdAtMs : null;
  const head = { lastSequence: events.length, updatedAtMs: createdAtMs, finishedAtMs };
  return { run: { ...facts, ...state, ...head, ...NO_LEASE, idleFromMs: 0 }, events, states };
}

/** Emmett's driver reads whole numbers beyond 2^53 as BigInt; what was written was a number. */
function encodePayload(payload: unknown): string {
  return JSON.stringify(payload, (_key, value: unknown) =>
    typeof value === "bigint" ? Number(value) : value,
  );
}
