import type { RunStatus } from "@tm/run-events-core";
import type { CreateOutcome } from "../core-calls.ts";

/** One call to a store, or one request of a call with many, and its outcome. Plain data, fit for JSON. */
export type Operation = LogOperation | LeaseOperation | CreateOperation;

/** A call about the log. */
export type LogOperation = AppendOperation | ReadOperation;

interface AnyOperation {
  /** The client that called. A client's calls come one after the other. */
  readonly client: string;
  readonly runId: string;
  /** When the call was made, on a clock that all clients share. The unit does not matter. */
  readonly begunAt: number;
  /** When it was answered; `null` if it never was. */
  readonly endedAt: number | null;
}

/** An append, under the names of its events. */
export interface AppendOperation extends AnyOperation {
  readonly kind: "append";
  /** Which of the client's calls. Requests of one call are in the order of the call. */
  readonly call: number;
  /** Names the events. No two batches share a name, but the same batch may be sent again under its key. */
  readonly ids: readonly [string, ...string[]];
  readonly idempotencyKey: string | null;
  readonly expectedSequence: number | null;
  /** The fence that it was sent under; `null` without one. */
  readonly fence: number | null;
  /** Whether the run's owner sent it, an input or an end, and needs none. */
  readonly byOwner: boolean;
  readonly result: AppendResult;
}

/** What became of an append. `unknown`: it may have landed, or may land yet. `failed`: the store answered that it did not, and will not. */
export type AppendResult =
  | {
      readonly outcome: "appended" | "replayed";
      readonly firstSequence: number;
      readonly lastSequence: number;
      /** Of the run when the batch had landed. */
      readonly runStatus: RunStatus;
      /** The name of the event that started the phase in force then, `null` before the first. */
      readonly phaseId: string | null;
    }
  | { readonly outcome: "finished"; readonly runStatus: RunStatus; readonly lastSequence: number }
  | { readonly outcome: "sequence_conflict"; readonly lastSequence: number }
  | { readonly outcome: "idempotency_key_reused" | "not_found" | "fenced" | "unknown" | "failed" };

/** A claim, a renewal or a release. */
export interface LeaseOperation extends AnyOperation {
  readonly kind: "lease";
  readonly asks: "claim" | "renew" | "release";
  /** The fence that was sent; `null` with a claim. */
  readonly fence: number | null;
  /** The length that was asked for, in milliseconds; 0 with a release. */
  readonly leaseMs: number;
  readonly result: LeaseResult;
}

/**
 * What became of a request about a lease. `lastSequence` is the head at that instant. `unknown` and `failed` as in {@link AppendResult}; but
 * the failure of a renewal or a release does not show that it has not landed, so it is `unknown`.
 */
export type LeaseResult =
  | { readonly outcome: "granted"; readonly fence: number; readonly lastSequence: number }
  | { readonly outcome: "claimed" | "fenced" | "finished" | "not_found" | "unknown" | "failed" };

/** A creation of an exclusive run of a topic. The claim in it is a {@link LeaseOperation} of its own. */
export interface CreateOperation extends AnyOperation {
  readonly kind: "create";
  readonly topic: string;
  readonly result: CreateResult;
}

/** What became of a creation. `unknown` and `failed` as in {@link AppendResult}. */
export type CreateResult =
  | { readonly outcome: "topic_busy"; readonly holder: string }
  | { readonly outcome: Exclude<CreateOutcome["outcome"], "topic_busy"> | "unknown" | "failed" };

/** A page and its head, or a head alone: then `since` is the head's sequence. */
export interface ReadOperation extends AnyOperation {
  readonly kind: "read";
  readonly since: number;
  /** The events after `since`. */
  readonly ids: readonly string[];
  readonly lastSequence: number;
  readonly runStatus: RunStatus;
  /** The name of the event that started the phase in force at the head, `null` before the first. */
  readonly phaseId: string | null;
}

/** An event of a log that was read at the end. */
export interface LoggedEvent {
  readonly id: string;
  /** The status that it leaves the run in. */
  readonly runStatus: RunStatus;
  readonly startsPhase: boolean;
}

/** All calls and answers, and the logs at the end, by run. */
export interface History {
  readonly operations: readonly Operation[];
  readonly logs: ReadonlyMap<string, readonly LoggedEvent[]>;
}

/** A clause that a history breaks, and the calls that show it. */
export interface Violation {
  /** Of the store contract. */
  readonly clause: string;
  readonly message: string;
  /** The calls that show it, in the order in which they began. */
  readonly operations: readonly Operation[];
}
