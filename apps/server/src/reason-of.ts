import { RunEventsError } from "@tm/run-events-core";

/** The reason why a store is not available: the driver's own message, because it is more exact than its wrapper's. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof RunEventsError && error.cause !== undefined) return reasonOf(error.cause);
  // It holds one error for each address of a host, and has no message.
  return error instanceof AggregateError ? error.errors.map(reasonOf).join("; ") : error.message;
}
