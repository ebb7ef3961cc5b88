import { setTimeout as pause } from "node:timers/promises";
import { isTerminal } from "@tm/run-events-core";
import {
  type BusyOutcome,
  type CreateRunRequest,
  placeQuery,
  topicBusy,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { listRuns } from "./list.ts";
import { readHead } from "./scripts/read-head.ts";
import { sendLeavePlace } from "./scripts/leave-place.ts";
import { type HeldPlace, type PlaceHolder, sendTakePlace } from "./scripts/take-place.ts";
import { sendVoidRun } from "./scripts/void-run.ts";

/**
 * How long a run may take from its place to its creation before another creation voids it, in milliseconds. A creator that is alive
 * takes two commands. One that is slower begins again, and a dead one blocks its topic no longer than this.
 */
const CREATION_MS = 2_000;
/** How long to wait before the holder of a place is looked at again, in milliseconds. */
const LOOK_AGAIN_MS = 20;

/** The place of an owner's topic: the one exclusive run that it may have. */
interface Place {
  readonly ownerId: string;
  readonly topic: string;
}

/**
 * Takes the place of an exclusive run before it is created. The place and the run are keys of different slots, which a cluster cannot
 * change in one step. So a place names its run, and is held only while that run is live, or is being created. A run that does not exist
 * some time after it has taken its place is voided, in the slot of the run: its creation and the mark exclude each other. So a dead
 * process does not hold a place for ever, and a late one creates no second run.
 *
 * With the place taken, the list of the topic shows other live runs, which have no place: those that are not exclusive.
 * @returns `null` if the place is taken for the run; else a live run of the topic, which may have the same id
 * @see clause S25 in `STORE.md`
 */
export async function takePlace(
  connection: Connection,
  request: CreateRunRequest,
  holder: PlaceHolder,
): Promise<BusyOutcome | null> {
  const query = placeQuery(request);
  if (query === null) return null;
  const key = connection.keys.place(query.ownerId, query.topic);
  let replaced: string | null = null;
  for (;;) {
    const held = await sendTakePlace(connection, key, holder, replaced);
    if (held === null) break;
    const judged = await judgeHolder(connection, held);
    if (judged === "live") return topicBusy(held.holder);
    if (judged === "unknown") await pause(LOOK_AGAIN_MS);
    replaced = judged === "over" ? held.place : null;
  }
  const [live] = await listRuns(connection, query);
  if (live === undefined) return null;
  leavePlace(connection, query, holder);
  return topicBusy(live);
}

/** Whether the run that has a place is live; `over` if it never will be again, `unknown` while it may be about to be created. */
async function judgeHolder(
  connection: Connection,
  { holder, ageMs }: HeldPlace,
): Promise<"live" | "over" | "unknown"> {
  const run = await readHead(connection, holder.runId);
  if (run?.ordinal === holder.ordinal) return isTerminal(run.runStatus) ? "over" : "live";
  if (ageMs < CREATION_MS) return "unknown";
  return (await sendVoidRun(connection, holder)) === "live" ? "live" : "over";
}

/** Frees the place of a run without a wait. If that fails, the next creation finds that the run is over. */
export function leavePlace(
  connection: Connection,
  { ownerId, topic }: Place,
  holder: PlaceHolder,
): void {
  sendLeavePlace(connection, connection.keys.place(ownerId, topic), holder).catch(() => {
    // A place too many does no harm.
  });
}
