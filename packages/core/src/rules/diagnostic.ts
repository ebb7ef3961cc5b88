import type { RunEventsErrorCode } from "./errors.ts";

/** A report of a store about its notifications. @see {@link Diagnostic} */
export type StoreDiagnostic =
  /** The store's connection for notifications works: for the first time, or again. */
  | {
      readonly type: "notifications_up";
      /** For how long it was down, in milliseconds. `null` the first time. */
      readonly downMs: number | null;
    }
  /** The store's connection for notifications was lost or closed. */
  | {
      readonly type: "notifications_down";
      /** `lost`: until it is back, polls find the commits of other processes. `closed`: the store was closed. */
      readonly reason: "lost" | "closed";
    }
  /**
   * A commit was found that no notification had announced. The notification was lost or is very late. Readers get the event later, but
   * miss none.
   * @see clause S13 in `STORE.md`
   */
  | {
      readonly type: "notification_missed";
      /** A poll of the store, or a follower's reread: every 5 s, less often with more than 250 followers. */
      readonly foundBy: "poll" | "reread";
      /** The number of runs whose notification was missed. */
      readonly runs: number;
    };

/** The outcome of a worker's work. */
export interface WorkEnd {
  /**
   * - `completed`, `failed`, `cancelled`: the worker has ended the run with this status
   * - `parked`: the worker has released the run until an input comes
   * - `lost`: the lease has expired, another worker has the run, or others have ended or deleted it
   * - `left`: a shutdown has released the run, or the store did not take its end, so the lease expires
   */
  readonly outcome: "completed" | "failed" | "cancelled" | "parked" | "lost" | "left";
  /** From the claim to the end, in milliseconds. */
  readonly ms: number;
}

/**
 * Something that core, a store or a handler did or met in this process. The `type` says which, and the set of types is closed: a new one
 * comes with a new version. No diagnostic has a payload, metadata, a token, a cookie or the message of an error.
 *
 * All times are in milliseconds. The code of an error is `internal` if it is not a `RunEventsError`.
 */
export type Diagnostic =
  | StoreDiagnostic
  /** An append or an input of this process has got its answer or a refusal. */
  | {
      readonly type: "append";
      readonly runId: string;
      /** The number of events that the append has. */
      readonly events: number;
      /** From the call to the answer. The wait in the queue is included. */
      readonly ms: number;
      /** `replayed`: an append with its idempotency key had landed before. */
      readonly outcome: "appended" | "replayed" | RunEventsErrorCode;
      /** The run's last sequence; `null` after an error. */
      readonly lastSequence: number | null;
    }
  /** A group of writes to the store, some of them appends, has ended. */
  | {
      readonly type: "append_group";
      /** The number of appends that it had. */
      readonly appends: number;
      /** The number of writes that waited for the next groups when it left. */
      readonly queued: number;
      /** From when it was sent until all its writes were answered. */
      readonly ms: number;
    }
  /** A call whose answer was lost was sent again, for up to 10 s. @see clause S7 in `STORE.md` */
  | {
      readonly type: "resend";
      /** The first of the calls that were sent together. `change`: a renewal, a release, a removal or an end. */
      readonly call: "append" | "claim" | "create" | "change";
      /** The number of times that it was sent again. */
      readonly sends: number;
      readonly ms: number;
      /** `unknown`: the call stays in doubt. */
      readonly outcome: "answered" | "unknown";
    }
  /** A tail was opened. Long-polls and streams of a handler are not tails. */
  | { readonly type: "tail_opened"; readonly runId: string }
  | {
      readonly type: "tail_ended";
      readonly runId: string;
      readonly ms: number;
      /** The number of events that the tail has read. */
      readonly events: number;
      /** `left`: its reader left the loop, or its signal aborted. */
      readonly outcome: "finished" | "left" | RunEventsErrorCode;
    }
  /** A worker has claimed its run. */
  | {
      readonly type: "work_begun";
      readonly runId: string;
      /** The time that the claim took. */
      readonly ms: number;
    }
  /** A worker's task and all its appends have ended. */
  | ({ readonly type: "work_ended"; readonly runId: string } & WorkEnd)
  /** A worker may no longer write to its run. Its task may still be running. */
  | {
      readonly type: "lease_lost";
      readonly runId: string;
      /** `fenced`: the lease expired, or another worker has the run. `run_finished`: others have ended it, such as by a cancel. */
      readonly reason: RunEventsErrorCode;
    }
  /** A `reap` has ended. */
  | {
      readonly type: "reap";
      /** The number of runs that it ended. */
      readonly runs: number;
      readonly ms: number;
      readonly outcome: "done" | RunEventsErrorCode;
    }
  /** A `purge` has ended. */
  | {
      readonly type: "purge";
      /** The number of runs that it removed. */
      readonly runs: number;
      readonly ms: number;
      readonly outcome: "done" | RunEventsErrorCode;
    }
  /** A live stream was opened for a client. */
  | { readonly type: "stream_opened" }
  /** A live stream has ended. The reasons are those of the handler's `stats()`. */
  | { readonly type: "stream_ended"; readonly reason: string }
  /** A live stream was refused: `overloaded`, `draining`, or another code of an `error` frame. */
  | { readonly type: "stream_refused"; readonly reason: string }
  /** A client has begun to upload NDJSON lines. */
  | { readonly type: "upload_opened"; readonly runId: string }
  | {
      readonly type: "upload_ended";
      readonly runId: string;
      readonly ms: number;
      /** `disconnected`: the client has broken off the upload. */
      readonly outcome: "done" | "disconnected" | RunEventsErrorCode;
    }
  /** A request was answered with a problem: 4xx or 5xx. */
  | {
      readonly type: "refusal";
      /** `_OTHER` for a method that HTTP does not have. */
      readonly method: string;
      /** The pattern of the path, such as `/v1/agent-runs/{runId}/events`; `null` for an unknown path. */
      readonly route: string | null;
      readonly status: number;
      readonly code: RunEventsErrorCode;
    };
