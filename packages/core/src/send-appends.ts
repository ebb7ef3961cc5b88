import { RunEventsError } from "./errors.ts";
import type { AppendOutcome, AppendRequest, RunEventStore } from "./store.ts";

const RESENDS = 3;

/**
 * Sends one group of appends. When the store cannot tell whether the group landed, the requests with a key are sent again:
 * one that had landed answers `replayed`. Those without a key get the ambiguous error.
 * @throws RunEventsError what the store threw; the first, ambiguous error when sending again does not help either.
 * @see S7
 */
export async function sendAppends(
  store: RunEventStore,
  group: readonly AppendRequest[],
): Promise<readonly (AppendOutcome | RunEventsError)[]> {
  try {
    return await store.append(group);
  } catch (error) {
    const keyed = group.filter((request) => request.idempotencyKey !== null);
    if (!(error instanceof RunEventsError) || !error.ambiguous || keyed.length === 0) throw error;
    const outcomes = (await resend(store, keyed, error)).values();
    return group.map((request) =>
      request.idempotencyKey === null ? error : (outcomes.next().value ?? error),
    );
  }
}

async function resend(
  store: RunEventStore,
  keyed: readonly AppendRequest[],
  first: RunEventsError,
): Promise<readonly AppendOutcome[]> {
  for (let attempt = 1; attempt <= RESENDS; attempt++) {
    try {
      return await store.append(keyed);
    } catch (error) {
      // Whatever this attempt says, the first may have landed: its error is the true one if none succeeds.
      if (!(error instanceof RunEventsError) || !error.retryable) throw first;
    }
  }
  throw first;
}
