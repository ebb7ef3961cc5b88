import { type RunEventStore } from "@tm/run-events-core/store";
import { landOnce } from "../../core/src/rules/land-once.ts";
import { createCommitIds } from "../../core/src/log/own-keys.ts";
import type { AppendOutcome, AppendRequest } from "../../core/src/rules/append.ts";
import { plainOf, appendRule } from "../../core/src/rules/append-rule.ts";
import type { Rule } from "../../core/src/rules/decision.ts";

const newId = createCommitIds();

/** Changes a run by a rule. Nothing is sent again by core. */
export async function change<Answer>(
  store: RunEventStore,
  { ownerId, runId }: { readonly ownerId: string; readonly runId: string },
  rule: Rule<Answer>,
  needs: { readonly topic?: string; readonly keys?: readonly string[] } = {},
): Promise<Answer> {
  const decide = landOnce(rule, newId);
  const [answer] = await store.change([{ ownerId, runId, ...needs, decide }]);
  return answer as Answer;
}

/** Appends as core does: plainly, and else by the rule, under a key. Nothing is sent again by core. */
export async function append(store: RunEventStore, asked: AppendRequest): Promise<AppendOutcome> {
  const request = { ...asked, ownerId: "ada", idempotencyKey: asked.idempotencyKey ?? newId() };
  const plain = plainOf(request);
  const [landing] = plain === null ? [] : await store.append([plain]);
  if (landing != null) return { outcome: "appended", ...landing };
  return change(store, request, appendRule(request), { keys: [request.idempotencyKey] });
}
