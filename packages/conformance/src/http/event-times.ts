import { assert } from "../assert.ts";
import { assertStatus } from "./assert-answer.ts";
import type { HttpTrial } from "./http-trial.ts";
import { land, poll } from "./runs.ts";

/** The `createdAt` of each event, as the server wrote it. */
export async function timesOf(trial: HttpTrial, runId: string): Promise<readonly string[]> {
  const answer = await poll(trial, runId, "limit=1000");
  assertStatus(answer, 200);
  const events = answer.json()["events"] as readonly { readonly createdAt: string }[];
  return events.map(({ createdAt }) => createdAt);
}

/** Appends until the log has this many different times. An append and a read take time, so this ends. */
export async function landLater(
  trial: HttpTrial,
  runId: string,
  count: number,
): Promise<readonly string[]> {
  for (;;) {
    const times = await timesOf(trial, runId);
    if (new Set(times).size >= count) return times;
    assert(times.length < 990, "W2: the clock goes on while a run gets 990 events");
    await land(trial, runId, ["NOTE"]);
  }
}

/** A time that is this many milliseconds later. */
export function moved(time: string | undefined, ms: number): string {
  return new Date(Date.parse(time ?? "") + ms).toISOString();
}
