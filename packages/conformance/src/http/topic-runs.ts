import { assertMembers, assertStatus } from "./assert-answer.ts";
import type { HttpTrial } from "./http-trial.ts";
import { post } from "./runs.ts";

/** A topic that no run has. */
export function newTopic(): string {
  return `changed ${crypto.randomUUID()}`;
}

/** Creates a run of the topic. @returns its id */
export async function createIn(trial: HttpTrial, topic: string): Promise<string> {
  const answer = await trial.send(post(trial, "/v1/agent-runs", JSON.stringify({ topic })));
  assertStatus(answer, 201);
  assertMembers(answer, { topic });
  return String(answer.json()["runId"]);
}
