import { RunEventsError } from "@tm/run-events-core";

/** Why a store is not available: the message of the driver's error, which is more exact than that of its wrapper. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof RunEventsError && error.cause !== undefined) return reasonOf(error.cause);
  // It holds one error for each address of a host, and has no message.
  return error instanceof AggregateError ? error.errors.map(reasonOf).join("; ") : error.message;
}
