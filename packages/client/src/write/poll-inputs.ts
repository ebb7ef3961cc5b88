import { isTerminal, type RunEvent, type RunEventsPage } from "@tm/run-events-core";
import { runFinished } from "@tm/run-events-core/store";
import { INPUT_RECEIVED } from "@tm/run-events-core/wire";
import type { runWork } from "@tm/run-events-core/wire";
import { pause } from "../http/pause.ts";
import { type Call, pageCall, WAIT_SECONDS } from "../http/run-calls.ts";

/** The most events of one poll. */
const PAGE_EVENTS = 1_000;
/** The pause after a poll that brought no input, in milliseconds: each of the worker's own events ends a poll. */
const PAUSE_MS = 500;

/**
 * Follows the inputs of a run by polls that the server holds. Each poll sends the time of the event after which it begins.
 * @param ask makes a request, again and again while that may help. It rejects with the signal's reason
 * @throws RunEventsError `run_finished` once the run has ended, `history_changed` once the log has lost an event of an earlier poll
 * @see clauses W17, W40 and W46 in `WIRE.md` of `@tm/run-events-http`
 */
export async function* pollInputs(
  ask: (call: Call) => Promise<RunEventsPage>,
  runId: string,
  after: Parameters<Parameters<typeof runWork>[0]["inputs"]>[1],
  signal: AbortSignal,
): AsyncGenerator<RunEvent, never> {
  let { since, at } = after;
  for (;;) {
    const query = { since, at, limit: PAGE_EVENTS, wait: WAIT_SECONDS };
    const page = await ask(pageCall(runId, query));
    const { events, hasMore, runStatus, lastSequence } = page;
    let isDone = true;
    for (const event of events) {
      if (event.sequence <= since) continue;
      ({ sequence: since, createdAt: at } = event);
      isDone &&= !hasMore;
      if (event.eventType === INPUT_RECEIVED) {
        isDone = false;
        yield event;
      }
    }
    if (isTerminal(runStatus)) throw runFinished(runStatus, lastSequence);
    if (isDone) await pause(PAUSE_MS, signal);
  }
}
