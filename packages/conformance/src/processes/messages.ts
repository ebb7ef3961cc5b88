import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { describeError, framesOf } from "../describe-error.ts";
import type { KitStore } from "../kit-store.ts";

/** The settings with which a worker opens its store. */
export interface Opening {
  readonly module: string;
  readonly place: unknown;
  /** The lead of the process's own clock over the machine's. */
  readonly clockAheadMs: number;
}

/**
 * A call of the parent: of a method of the worker's store, or `open`, which comes first and is answered with the capabilities.
 * `subscribe` is answered when the subscription is ready; its notifications have the command's id, which `stop` names.
 */
export interface Command {
  readonly id: number;
  readonly call: keyof KitStore | "open" | "stop";
  readonly args: readonly unknown[];
}

/** A message of a worker. */
export type Message =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly notified: number; readonly runId: string | null };

/** The error of a call. */
interface Failure {
  readonly message: string;
  /** What a `RunEventsError` has besides, and its cause, which is the driver's error. */
  readonly own: {
    readonly code: RunEventsErrorCode;
    readonly ambiguous: boolean;
    readonly retryable: boolean;
    readonly cause: string | null;
  } | null;
}

export function encodeFailure(error: unknown): Failure {
  if (error instanceof RunEventsError) {
    const { message, code, ambiguous, retryable } = error;
    const cause = error.cause instanceof Error ? describeError(error.cause) : null;
    return { message, own: { code, ambiguous, retryable, cause } };
  }
  const frames = error instanceof Error ? framesOf(error) : [];
  return { message: [describeError(error), ...frames].join("\n"), own: null };
}

export function parseFailure({ message, own }: Failure, worker: string): Error {
  if (own === null) return new Error(`Worker ${worker}: ${message}`);
  const { code, cause, ...rest } = own;
  const beneath = cause === null ? {} : { cause: new Error(cause) };
  return new RunEventsError(code, message, { ...rest, ...beneath });
}
