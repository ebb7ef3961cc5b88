import { assertEqual } from "../assert.ts";
import { assertStatus } from "./assert-answer.ts";
import type { Answer } from "./call.ts";
import type { HttpTrial } from "./http-trial.ts";

/** The most answers until nothing is new, while nothing changes. */
const MOST_ANSWERS = 100;

/** What is answered, and what a reader of it has. */
export interface Changed {
  readonly runs: readonly (Readonly<Record<string, unknown>> & { readonly runId: string })[];
  readonly gone: readonly string[];
  readonly cursor: string;
  readonly hasMore: boolean;
  readonly reset: boolean;
  /** Only with `last`. */
  readonly last?: Readonly<Record<string, unknown>>;
}

/** Asks with this query. */
export function askBy(
  trial: HttpTrial,
  query: string,
  headers: Readonly<Record<string, string>> = trial.owner.bearer,
): Promise<Answer> {
  return trial.send({ path: `/v1/agent-runs?${query}`, headers });
}

/** Asks with these parameters. */
export function ask(
  trial: HttpTrial,
  query: Readonly<Record<string, string | number>>,
  headers: Readonly<Record<string, string>> = trial.owner.bearer,
): Promise<Answer> {
  const parts = Object.entries(query).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return askBy(trial, parts.join("&"), headers);
}

/** What is answered. It has to be a success, with the fields that were asked for. */
export function changedIn(answer: Answer, withLast = false): Changed {
  assertStatus(answer, 200);
  const body = answer.json();
  assertEqual(
    Object.keys(body).toSorted(),
    ["cursor", "gone", "hasMore", ...(withLast ? ["last"] : []), "reset", "runs"],
    `the fields of the answer to ${answer.to}`,
  );
  return body as unknown as Changed;
}

/** Asks until nothing is new: a change may come more than once, but not for ever. */
export async function askAll(
  trial: HttpTrial,
  topic: string,
  since: string,
): Promise<{
  readonly runs: ReadonlyMap<string, Changed["runs"][number]>;
  readonly gone: readonly string[];
  readonly cursor: string;
}> {
  const runs = new Map<string, Changed["runs"][number]>();
  const gone = new Set<string>();
  let cursor = since;
  for (let answers = 0; answers < MOST_ANSWERS; answers++) {
    const changed = changedIn(await ask(trial, { topic, changedSince: cursor }));
    assertEqual(changed.reset, cursor === "", "whether the answer starts over");
    ({ cursor } = changed);
    for (const runId of changed.gone) {
      runs.delete(runId);
      gone.add(runId);
    }
    for (const run of changed.runs) runs.set(run.runId, run);
    if (!changed.hasMore && changed.runs.length + changed.gone.length === 0)
      return { runs, gone: [...gone], cursor };
  }
  throw new Error(`Expected that nothing is new after ${MOST_ANSWERS} answers without a change.`);
}
