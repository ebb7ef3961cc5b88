import { appendRule } from "../src/rules/append-rule.ts";
import type { AppendOutcome, AppendRequest } from "../src/rules/append.ts";
import type { CreateOutcome } from "../src/rules/creation.ts";
import type { Rule } from "../src/rules/decision.ts";
import type { RunName } from "../src/rules/head.ts";
import { landOnce } from "../src/rules/land-once.ts";
import { createRule, type RemovalOutcome, removalRule } from "../src/rules/run-rules.ts";
import type { RunEventStore } from "../src/store/store.ts";

/** The run that a test is about, unless it names another. */
export const RUN: RunName = { ownerId: "ada", runId: "r" };

/** Writes by core's rules without a queue: the memory store has committed each before the call returns. */
export interface RunWrites {
  create(name: RunName): Promise<CreateOutcome>;
  append(request: AppendRequest): Promise<AppendOutcome>;
  remove(name: RunName): Promise<RemovalOutcome>;
}

export function createRunWrites(store: Pick<RunEventStore, "change">): RunWrites {
  async function decide<Answer>(
    { ownerId, runId }: RunName,
    rule: Rule<Answer>,
    keys: readonly string[] = [],
  ): Promise<Answer> {
    const decided = landOnce(rule, () => crypto.randomUUID());
    const [answer] = await store.change([{ ownerId, runId, keys, decide: decided }]);
    if (answer === undefined) throw new TypeError("Expected an answer for the one change.");
    return answer;
  }

  return {
    create: (name) => decide(name, createRule({ ...name, metadata: "null" })),
    append(request) {
      const { idempotencyKey } = request;
      return decide(request, appendRule(request), idempotencyKey === null ? [] : [idempotencyKey]);
    },
    remove: (name) => decide(name, removalRule()),
  };
}
