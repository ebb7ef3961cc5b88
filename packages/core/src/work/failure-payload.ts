import { MAX_PAYLOAD_BYTES } from "../rules/event.ts";
import type { FailurePayload } from "../rules/failure.ts";
import type { AppendLimits } from "../rules/lifecycle.ts";
import type { WorkOptions } from "./work-options.ts";

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
