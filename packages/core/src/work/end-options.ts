import { describeValue } from "../rules/describe-value.ts";
import { MAX_PAYLOAD_BYTES } from "../rules/event.ts";
import type { AppendLimits } from "../rules/lifecycle.ts";

/** How `work` ends a run that is not complete. */
export interface EndOptions {
  /**
   * What becomes of the run when the worker shuts down before the task completes it. `release` lets another worker continue it. `fail`
   * ends it with `RUN_FAILED` and `{ reason: "shutdown" }`.
   * @defaultValue `release`
   * @see W42
   */
  readonly onShutdown?: "release" | "fail" | undefined;
  /**
   * What the owner may read of the error that a task threw: the `message` of `RUN_FAILED`, besides `{ reason: "error" }`. `undefined`
   * for no message. An error of a provider may hold an address or a key, so by default the owner reads none. A `describeError` that
   * throws counts as none, too.
   * @defaultValue no message
   * @see W43
   */
  readonly describeError?: ((error: unknown) => string | undefined) | undefined;
}

/** Why the system ended a run as failed: the `reason` of `RUN_FAILED`. @see W43 */
export type FailureReason = "error" | "lease_expired" | "shutdown";

/** The payload of `RUN_FAILED` that the system writes. @see W43 */
export interface FailurePayload {
  readonly reason: FailureReason;
  readonly message?: string;
}

/** @throws TypeError unless the options can be used */
export function checkEndOptions({ onShutdown, describeError }: EndOptions): void {
  if (onShutdown !== undefined && onShutdown !== "release" && onShutdown !== "fail") {
    throw new TypeError(
      `Expected \`onShutdown\` to be "release" or "fail", got ${describeValue(onShutdown)}.`,
    );
  }
  if (describeError !== undefined && typeof describeError !== "function") {
    throw new TypeError(
      `Expected \`describeError\` to be a function of the error, got ${describeValue(describeError)}.`,
    );
  }
}

/**
 * The payload of the end of a task that threw. A long message is cut so that it fits, even if each of its units takes an escape.
 * @see W43
 */
export function errorPayload(
  error: unknown,
  { describeError }: EndOptions,
  { maxPayloadBytes }: AppendLimits,
): FailurePayload {
  const message = describe(error, describeError);
  const most = Math.min(maxPayloadBytes, MAX_PAYLOAD_BYTES) / 6 - 8;
  if (message === undefined || most < 1) return { reason: "error" };
  return { reason: "error", message: message.slice(0, most) };
}

function describe(error: unknown, describeError: EndOptions["describeError"]): string | undefined {
  try {
    const message: unknown = describeError?.(error);
    return typeof message === "string" ? message : undefined;
  } catch {
    // The task's own error is what counts.
    return undefined;
  }
}
