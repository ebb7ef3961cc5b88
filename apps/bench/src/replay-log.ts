import type { EventDraft, RunEvents } from "@tm/run-events-core";
import { sampleEvent } from "./sample-event.ts";

/** The run that is replayed. */
export const REPLAY_RUN = "run";
export const REPLAY_OWNER = "reader";
/** The length of an event's JSON, in bytes. */
export const REPLAY_EVENT_BYTES = 300;
/** What the run begins with; it is replayed from after these. */
export const REPLAY_HEAD: readonly EventDraft[] = [
  { eventType: "RUN_STARTED" },
  { eventType: "PHASE_STARTED", payload: { phase: "work" } },
];
/** The reader's first cursor: from there to the end, status and phase are the same for all. */
export const REPLAY_SINCE: number = REPLAY_HEAD.length;

/** When everything in a memory store happens: the bare log, made in another process, has the same bytes. */
export const REPLAY_TIME_MS = 1_782_000_000_000;

/** The most events of one append that fills a log. */
const BATCH_EVENTS = 1_000;

/** Writes a run that has ended, with this many events after its head; the last one ends it. */
export async function fillReplay(runs: RunEvents, events: number): Promise<void> {
  const owned = runs.as(REPLAY_OWNER);
  await owned.create({ runId: REPLAY_RUN });
  await owned.append(REPLAY_RUN, REPLAY_HEAD);
  const event = sampleEvent(REPLAY_EVENT_BYTES);
  for (let left = events - 1; left > 0; left -= BATCH_EVENTS) {
    await owned.append(
      REPLAY_RUN,
      Array.from({ length: Math.min(left, BATCH_EVENTS) }, () => event),
    );
  }
  await owned.append(REPLAY_RUN, [{ eventType: "RUN_COMPLETED" }]);
}

/** The stores whose logs are replayed. */
export const REPLAY_STORES = ["sqlite", "memory", "postgres", "redis"] as const;
export type ReplayStore = (typeof REPLAY_STORES)[number];
