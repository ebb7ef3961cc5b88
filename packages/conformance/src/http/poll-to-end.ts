import { assert, assertEqual } from "../assert.ts";
import type { HttpTrial } from "./http-trial.ts";
import type { Delivery, DeliveredEvent } from "./judge-delivery.ts";
import { pageOf, poll, sequencesOf } from "./runs.ts";

/**
 * The loop that clause W16 in `WIRE.md` promises to be enough: passes on the highest sequence, and stops at a terminal status. It
 * goes on past that once, as a user might, so that its delivery shows what follows the end.
 */
export async function pollToEnd(
  trial: HttpTrial,
  runId: string,
  start: number,
  limit: number,
): Promise<Delivery> {
  const events: DeliveredEvent[] = [];
  for (;;) {
    const since = start + events.length;
    const page = pageOf(await poll(trial, runId, `since=${since}&limit=${limit}&wait=1`));
    const owed = page.events.map((_, index) => since + 1 + index);
    assertEqual(sequencesOf(page), owed, `W15: the sequences of the page after ${since}`);
    assert(page.events.length <= limit, `W15: a page of ${limit} has no more events`);
    events.push(...page.events);
    if (["queued", "running", "waiting"].includes(page.runStatus)) continue;
    const later = pageOf(await poll(trial, runId, `since=${start + events.length}`));
    return [...events, "end", ...later.events];
  }
}
