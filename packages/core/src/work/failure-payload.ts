import { MAX_PAYLOAD_BYTES } from "../rules/event.ts";
import type { AppendLimits } from "../rules/lifecycle.ts";
import type { WorkOptions } from "./work-options.ts";

/** Why the system ended a run as failed: the `reason` of `RUN_FAILED`. @see clause W43 in `WIRE.md` of `@tm/run-events-http` */
type FailureReason = "error" | "lease_expired" | "shutdown";

/** The payload of `RUN_FAILED` that the system writes. @see clause W43 in `WIRE.md` of `@tm/run-events-http` */
export interface FailurePayload {
  readonly reason: FailureReason;
  readonly message?: string;
}

/**
 * The payload of the end of a task that threw. A long message is cut so that it fits, even if each of its units takes an escape.
 * @see clause W43 in `WIRE.md` of `@tm/run-events-http`
 */
export function errorPayload(
  error: unknown,
  { describeError }: Pick<WorkOptions, "describeError">,
  { maxPayloadBytes }: AppendLimits,
): FailurePayload {
  const message = describe(error, describeError);
  const most = Math.min(maxPayloadBytes, MAX_PAYLOAD_BYTES) / 6 - 8;
  if (message === undefined || most < 1) return { reason: "error" };
  return { reason: "error", message: message.slice(0, most) };
}

function describe(error: unknown, describeError: WorkOptions["describeError"]): string | undefined {
  try {
    const message: unknown = describeError?.(error);
    return typeof message === "string" ? message : undefined;
  } catch {
    // The task's own error is what counts.
    return undefined;
  }
}
