import { RunEventsError } from "@tm/run-events-core";
import { type RunEventStore } from "@tm/run-events-core/store";
import { appendOf, createOf, endOf } from "@tm/run-events-test-servers/requests";
import { landOnce } from "../../core/src/rules/land-once.ts";
import { createCommitIds } from "../../core/src/log/own-keys.ts";
import type { AppendOutcome, AppendRequest } from "../../core/src/rules/append.ts";
import { plainOf, appendRule } from "../../core/src/rules/append-rule.ts";
import type { Rule } from "../../core/src/rules/decision.ts";
import { claimRule, releaseRule } from "../../core/src/rules/lease-rules.ts";
import { createRule, dueRule, removalRule } from "../../core/src/rules/run-rules.ts";

/** An action of a process on a run, with the last fence that it got. */
export type Deed =
  | { readonly do: "claim" | "renew"; readonly runId: string; readonly leaseMs: number }
  | {
      readonly do:
        | "create"
        | "create exclusively"
        | "release"
        | "write"
        | "end"
        | "write as owner"
        | "end as owner"
        | "delete"
        | "reap";
      readonly runId: string;
    };

const newId = createCommitIds();

/**
 * Performs one action after the other, until the process has died. Nothing is sent again.
 * @param granted receives the marks of the leases that it got
 */
export async function live(
  store: RunEventStore,
  deeds: readonly Deed[],
  granted: string[],
): Promise<void> {
  const fences = new Map<string, number>();
  for (const one of deeds) {
    try {
      await act(store, one, fences, granted);
    } catch (error) {
      if (error instanceof RunEventsError && error.message.startsWith("Redis cannot be reached:"))
        return;
      throw error;
    }
  }
}

async function act(
  store: RunEventStore,
  one: Deed,
  fences: Map<string, number>,
  granted: string[],
): Promise<unknown> {
  const fence = fences.get(one.runId) ?? 1;
  const name = { runId: one.runId, ownerId: "ada" };
  const asked = { ...name, fence };
  switch (one.do) {
    case "claim": {
      const outcome = await change(store, name, claimRule({ ...asked, leaseMs: one.leaseMs }));
      if (outcome.outcome !== "granted") return outcome;
      fences.set(one.runId, outcome.run.fence);
      granted.push(`${outcome.run.ordinal}/${outcome.run.fence}`);
      return outcome;
    }
    case "renew": {
      const plain = { expectedSequence: null, idempotencyKey: null, leaseMs: one.leaseMs };
      return store.append([{ ...asked, ...plain, events: [] }]);
    }
    case "release":
      return change(store, name, releaseRule(asked));
    case "write":
      return append(store, appendOf(one.runId, 1, { appender: { by: "worker", fence } }));
    case "end":
      return append(store, endOf(one.runId, { appender: { by: "worker", fence } }));
    case "write as owner":
      return append(store, appendOf(one.runId, 1, { appender: { by: "owner" } }));
    case "end as owner":
      return append(store, endOf(one.runId, { appender: { by: "owner" } }));
    case "create":
      return change(store, name, createRule(createOf(one.runId)));
    case "create exclusively": {
      const topic = "chat";
      const rule = createRule({ ...createOf(one.runId), topic, exclusive: true });
      return change(store, name, rule, { topic });
    }
    case "delete":
      return change(store, name, removalRule());
    case "reap": {
      const due = { due: "leased", forMs: -10_000_000, limit: 10 } as const;
      for (const head of await store.list(due)) {
        await change(store, head, dueRule({ kind: "leased", limitMs: 0 }));
      }
      return null;
    }
  }
}

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
