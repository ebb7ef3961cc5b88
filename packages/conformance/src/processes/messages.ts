import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { describeError, framesOf } from "../describe-error.ts";

/** The calls of a store that a worker makes as they are: their arguments and answers are data. */
export const PLAIN_CALLS = [
  "createRun",
  "append",
  "read",
  "getRun",
  "listRuns",
  "listDue",
  "deleteRun",
  "claim",
  "renew",
  "release",
  "endDue",
  "purge",
  "probe",
  "close",
] as const;
type PlainCall = (typeof PLAIN_CALLS)[number];

/** The settings with which a worker opens its store. */
export interface Opening {
  readonly module: string;
  readonly place: unknown;
  /** The lead of the process's own clock over the machine's. */
  readonly clockAheadMs: number;
}

/**
 * A message of the parent. `open` is answered with the capabilities, `subscribe` when the subscription is ready; its notifications have
 * the command's id, which `stop` names.
 */
export interface Command {
  readonly id: number;
  readonly call: PlainCall | "open" | "subscribe" | "stop";
  readonly args: readonly unknown[];
}

/** A message of a worker; the answer 0 when it is ready for commands. */
export type Message =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly notified: number; readonly runId: string | null };

/** The error of a call. */
export interface Failure {
  /** The error with its causes, and where it was thrown. */
  readonly text: string;
  /** The members of a `RunEventsError`, whose cause is the driver's error. */
  readonly own: {
    readonly code: RunEventsErrorCode;
    readonly message: string;
    readonly ambiguous: boolean;
    readonly retryable: boolean;
    readonly cause: string | null;
  } | null;
}

export function encodeFailure(error: unknown): Failure {
  const frames = error instanceof Error ? framesOf(error) : [];
  const text = [describeError(error), ...frames].join("\n");
  if (!(error instanceof RunEventsError)) return { text, own: null };
  const { code, message, ambiguous, retryable } = error;
  const cause = error.cause instanceof Error ? describeError(error.cause) : null;
  return { text, own: { code, message, ambiguous, retryable, cause } };
}

export function parseFailure({ text, own }: Failure, worker: string): Error {
  if (own === null) return new Error(`Worker ${worker}: ${text}`);
  const { code, message, cause, ...rest } = own;
  return new RunEventsError(code, message, {
    ...rest,
    ...(cause !== null && { cause: new Error(cause) }),
  });
}
