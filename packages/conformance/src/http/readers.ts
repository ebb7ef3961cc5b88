import { assert, assertEqual } from "../assert.ts";
import type { HeaderList } from "./call.ts";
import type { DeliveredEvent, Delivery } from "./judge-delivery.ts";
import type { Frame } from "./read-frames.ts";
import { deliveryOf, pageOf, type WireRun } from "./wire-run.ts";
import type { WireUser } from "./wire-user.ts";

/**
 * The loop that clause W16 in `WIRE.md` promises to be enough: passes on the highest sequence, and stops at a terminal status. It
 * goes on past that once, as a user might, so that its delivery shows what follows the end.
 */
export async function pollToEnd(run: WireRun, start: number, limit: number): Promise<Delivery> {
  const events: DeliveredEvent[] = [];
  for (;;) {
    const since = start + events.length;
    const page = pageOf(await run.poll({ since, limit, wait: 1 }));
    const owed = page.events.map((_, index) => since + 1 + index);
    assertEqual(page.sequences, owed, `W15: the sequences of the page after ${since}`);
    assert(page.events.length <= limit, `W15: a page of ${limit} has no more events`);
    events.push(...page.events);
    if (["queued", "running", "waiting"].includes(page.runStatus)) continue;
    const later = pageOf(await run.poll({ since: start + events.length }));
    return [...events, "end", ...later.events];
  }
}

/**
 * Follows a run to its end as a browser does: disconnects after this many frames, comes back with the last id it had, and learns
 * from a 204 that nothing follows the end.
 */
export async function follow(run: WireRun, since: number, framesEach: number): Promise<Delivery> {
  const seen: Frame[] = [];
  let id: string | null = null;
  const headers = (): HeaderList => (id === null ? {} : { "last-event-id": id });
  while (!isOver(seen)) {
    const stream = await run.live({ since }, headers());
    const connected = await stream.next();
    // Without this, a server that sends the same event to each reader that comes back would be asked for ever.
    assertEqual(connected.message["since"], Number(id ?? since), "W20: the cursor in force");
    seen.push(connected);
    for (let taken = 0; taken < framesEach && !isOver(seen); taken++) {
      const frame = await stream.next();
      seen.push(frame);
      id = frame.id ?? id;
      // The stream has ended, but not for good.
      if (frame.message["retryable"] === true) break;
    }
    if (isOver(seen)) seen.push(...(await stream.rest()));
    stream.leave();
  }
  const { status } = await run.tail({ since }, headers());
  assertEqual(status, 204, "W24: the status when a reader comes back after the end");
  return deliveryOf(seen);
}

/**
 * Follows runs to their ends over streams of many runs: disconnects after this many frames, later after twice as many, and comes back
 * with its cursors for the runs that have not ended.
 */
export async function followMany(
  user: WireUser,
  starts: readonly (readonly [run: WireRun, since: number])[],
  framesEach: number,
): Promise<readonly Delivery[]> {
  const readers = starts.map(([run, since]) => ({ run, since, seen: [] as Frame[] }));
  const byId = new Map(readers.map((one) => [one.run.id, one]));
  for (const most of [framesEach, 2 * framesEach, Infinity]) {
    const left = readers.filter(({ seen }) => !isOver(seen));
    if (left.length === 0) break;
    const stream = await user.followRuns(
      left.map(({ run, since, seen }) => [run, since + deliveryOf(seen).length]),
    );
    for (let taken = 0; taken < most && left.some(({ seen }) => !isOver(seen)); taken++) {
      const frame = await stream.next();
      byId.get(String(frame.message["runId"]))?.seen.push(frame);
    }
    stream.leave();
  }
  return readers.map(({ seen }) => deliveryOf(seen));
}

function isOver(seen: readonly Frame[]): boolean {
  return seen.at(-1)?.message["type"] === "run_finished";
}
