import { assertStatus } from "./assert-answer.ts";
import type { HttpTrial } from "./http-trial.ts";
import { poll } from "./runs.ts";

/** The `createdAt` of each event, as the server wrote it. */
export async function timesOf(trial: HttpTrial, runId: string): Promise<readonly string[]> {
  const answer = await poll(trial, runId, "limit=1000");
  assertStatus(answer, 200);
  const events = answer.json()["events"] as readonly { readonly createdAt: string }[];
  return events.map(({ createdAt }) => createdAt);
}

/** A time that is this many milliseconds later. */
export function moved(time: string | undefined, ms: number): string {
  return new Date(Date.parse(time ?? "") + ms).toISOString();
}
