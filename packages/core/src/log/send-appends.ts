import type { AppendOutcome, AppendRequest, Indexed } from "../rules/append.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { RunEventStore } from "../store/store.ts";
import { eachAtMost } from "../time/each-at-most.ts";
import type { Settle } from "./batcher.ts";
import { sendAgain, type SendTimes } from "./send-again.ts";

/** How many runs of a failed group are sent at once, each by itself. */
const RUNS_AT_ONCE = 8;

/**
 * Sends one group of appends. If that fails, each run is sent by itself, so that a failing run does not fail the others. Requests that
 * have not landed are sent once more. Requests in doubt with a key are sent again for up to 10 s: one that had landed answers
 * `replayed`. Requests in doubt without a key get the ambiguous error.
 * @param settle called with each request's outcome, or its error: the store's last one, but the first, ambiguous one if sending again
 * did not help
 * @see clauses S2 and S7 in `STORE.md`
 */
export async function sendAppends(
  store: Pick<RunEventStore, "append">,
  group: readonly AppendRequest[],
  times: SendTimes,
  settle: Settle<AppendOutcome>,
): Promise<void> {
  const indexed = group.map((request, index): Indexed<AppendRequest> => ({ index, request }));
  const failure = await trySend(store, indexed, settle);
  if (failure === null) return;
  const byRun = Map.groupBy(indexed, ({ request }) => request.runId);
  await eachAtMost(byRun.values(), RUNS_AT_ONCE, async (ofRun) => {
    const alone =
      failure.ambiguous || byRun.size === 1 ? failure : await trySend(store, ofRun, settle);
    if (alone !== null) await settleDoubt(store, ofRun, alone, times, settle);
  });
}

/**
 * Sends requests together and settles them.
 * @returns why that failed, or `null`
 */
async function trySend(
  store: Pick<RunEventStore, "append">,
  requests: readonly Indexed<AppendRequest>[],
  settle: Settle<AppendOutcome>,
): Promise<RunEventsError | null> {
  try {
    await send(store, requests, settle);
    return null;
  } catch (error) {
    if (error instanceof RunEventsError) return error;
    for (const { index } of requests) settle(index, error as Error);
    return null;
  }
}

/** Sends requests together and settles those that are answered. */
async function send(
  store: Pick<RunEventStore, "append">,
  requests: readonly Indexed<AppendRequest>[],
  settle: Settle<AppendOutcome>,
): Promise<void> {
  const outcomes = await store.append(requests.map(({ request }) => request));
  requests.forEach(({ index }, at) => {
    const outcome = outcomes[at];
    if (outcome !== undefined) settle(index, outcome);
  });
}

/** Sends requests in doubt that have a key again; the others get the error. */
async function settleDoubt(
  store: Pick<RunEventStore, "append">,
  requests: readonly Indexed<AppendRequest>[],
  first: RunEventsError,
  times: SendTimes,
  settle: Settle<AppendOutcome>,
): Promise<void> {
  const isInDoubt = ({ request }: Indexed<AppendRequest>): boolean =>
    first.ambiguous && request.idempotencyKey !== null;
  for (const one of requests) if (!isInDoubt(one)) settle(one.index, first);
  const keyed = requests.filter(isInDoubt);
  if (keyed.length === 0) return;
  try {
    // The run's later requests wait for these meanwhile, so their order stays.
    await sendAgain("append", async () => send(store, keyed, settle), first, times);
  } catch {
    for (const { index } of keyed) settle(index, first);
  }
}
