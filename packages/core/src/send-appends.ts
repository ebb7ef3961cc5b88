import { type Clock, holdProcess } from "./clock.ts";
import { RunEventsError } from "./errors.ts";
import type { AppendOutcome, AppendRequest, RunEventStore } from "./store.ts";

/** How long appends in doubt are sent again: as long as a database takes to come back. */
const PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 25;
const MOST_PAUSE_MS = 1_000;

/** How long to try. */
export interface SendTimes {
  readonly clock: Clock;
  /** Whether nobody has the time any more to wait for a store that is away. */
  readonly isClosing: () => boolean;
}

/**
 * Sends one group of appends. When the store cannot tell whether the group landed, the requests with a key are sent again
 * for up to 10 s: one that had landed answers `replayed`. Those without a key get the ambiguous error.
 * @throws RunEventsError what the store threw; the first, ambiguous error when sending again does not help either.
 * @see S7
 */
export async function sendAppends(
  store: RunEventStore,
  group: readonly AppendRequest[],
  times: SendTimes,
): Promise<readonly (AppendOutcome | RunEventsError)[]> {
  try {
    return await store.append(group);
  } catch (error) {
    const keyed = group.filter((request) => request.idempotencyKey !== null);
    if (!(error instanceof RunEventsError) || !error.ambiguous || keyed.length === 0) throw error;
    const outcomes = (await resend(store, keyed, error, times)).values();
    return group.map((request) =>
      request.idempotencyKey === null ? error : (outcomes.next().value ?? error),
    );
  }
}

async function resend(
  store: RunEventStore,
  keyed: readonly AppendRequest[],
  first: RunEventsError,
  { clock, isClosing }: SendTimes,
): Promise<readonly AppendOutcome[]> {
  const deadline = clock.now() + PATIENCE_MS;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    try {
      return await store.append(keyed);
    } catch (error) {
      // Whatever this attempt says, the first may have landed: its error is the true one if none succeeds.
      const isHopeless = !(error instanceof RunEventsError) || !error.retryable;
      if (isHopeless || isClosing() || clock.now() + pauseMs > deadline) throw first;
    }
    // Later groups wait behind this one meanwhile, so the order of the appends stays.
    await pause(clock, pauseMs);
    pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS);
  }
}

async function pause(clock: Clock, pauseMs: number): Promise<void> {
  // A program that waits for its append must not end for want of anything else to do.
  const release = holdProcess();
  let stop: (() => void) | undefined;
  await new Promise<void>((resolve) => {
    stop = clock.every(pauseMs, resolve);
  });
  stop?.();
  release();
}
