import type { Settle } from "./batcher.ts";
import { type Clock, pause } from "./clock.ts";
import { eachAtMost } from "./each-at-most.ts";
import { RunEventsError } from "./errors.ts";
import type { AppendOutcome, AppendRequest, RunEventStore } from "./store.ts";

/** How long appends in doubt are sent again: as long as a database takes to come back. */
const PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 25;
const MOST_PAUSE_MS = 1_000;
/** How many runs of a failed group are on their own way at once. */
const RUNS_AT_ONCE = 8;

/** How long to try. */
export interface SendTimes {
  readonly clock: Clock;
  /** Whether nobody has the time any more to wait for a store that is away. */
  readonly isClosing: () => boolean;
}

/** A request, and its index in the group that it came with. */
interface Indexed {
  readonly index: number;
  readonly request: AppendRequest;
}

/**
 * Sends one group of appends. If that fails, each run goes on by itself, so that one run's trouble is not the others'. What
 * has not landed is sent once more. Where the store cannot tell, requests with a key are sent again for up to 10 s: one that
 * had landed answers `replayed`; those without a key get the ambiguous error.
 * @param settle takes each request's outcome, or its error: what the store threw last, but the first, ambiguous error when
 * sending again did not help
 * @see S2, S7
 */
export async function sendAppends(
  store: RunEventStore,
  group: readonly AppendRequest[],
  times: SendTimes,
  settle: Settle<AppendOutcome>,
): Promise<void> {
  const indexed = group.map((request, index): Indexed => ({ index, request }));
  const failure = await trySend(store, indexed, settle);
  if (failure === null) return;
  const byRun = Map.groupBy(indexed, ({ request }) => request.runId);
  await eachAtMost(byRun.values(), RUNS_AT_ONCE, async (ofRun) => {
    const alone =
      failure.ambiguous || byRun.size === 1 ? failure : await trySend(store, ofRun, settle);
    if (alone !== null) await sendAgain(store, ofRun, alone, times, settle);
  });
}

/** Sends requests together and settles them. @returns why that failed, or `null` */
async function trySend(
  store: RunEventStore,
  requests: readonly Indexed[],
  settle: Settle<AppendOutcome>,
): Promise<RunEventsError | null> {
  try {
    const outcomes = await store.append(requests.map(({ request }) => request));
    requests.forEach(({ index }, at) => {
      const outcome = outcomes[at];
      if (outcome !== undefined) settle(index, outcome);
    });
    return null;
  } catch (error) {
    if (error instanceof RunEventsError) return error;
    for (const { index } of requests) settle(index, error as Error);
    return null;
  }
}

/** What is in doubt and has a key, again and again; the rest gets its error. */
async function sendAgain(
  store: RunEventStore,
  requests: readonly Indexed[],
  first: RunEventsError,
  { clock, isClosing }: SendTimes,
  settle: Settle<AppendOutcome>,
): Promise<void> {
  const isInDoubt = ({ request }: Indexed): boolean =>
    first.ambiguous && request.idempotencyKey !== null;
  for (const one of requests) if (!isInDoubt(one)) settle(one.index, first);
  const keyed = requests.filter(isInDoubt);
  const deadline = clock.now() + PATIENCE_MS;
  let pauseMs = FIRST_PAUSE_MS;
  while (keyed.length > 0) {
    const failure = await trySend(store, keyed, settle);
    if (failure === null) return;
    if (!failure.retryable || isClosing() || clock.now() + pauseMs > deadline) {
      // Whatever this attempt says, the first may have landed: its error is the true one.
      for (const { index } of keyed) settle(index, first);
      return;
    }
    // The run's later requests wait behind these meanwhile, so their order stays.
    await pause(clock, pauseMs);
    pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS);
  }
}
