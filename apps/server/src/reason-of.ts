import { RunEventsError } from "@tm/run-events-core";

/** Why a store cannot be had: what the driver said, which says more than what was made of it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof RunEventsError && error.cause !== undefined) return reasonOf(error.cause);
  // One error for each address of a host, with nothing of its own to say.
  return error instanceof AggregateError ? error.errors.map(reasonOf).join("; ") : error.message;
}
