import { setTimeout } from "node:timers/promises";
import { RunEventsError } from "@tm/run-events-core";
import { appendRequest } from "../append-request.ts";
import { describeError } from "../describe-error.ts";
import { readRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { tokens } from "./plain-append.ts";
import type { Call, CallAnswer, CallFailure, PlainCall } from "./worker-commands.ts";

const PAUSE_MS = 20;
/** How long a store may need to find its server again. */
const PATIENCE_MS = 10_000;

/** Each answers its outcome. */
const PLAIN: Readonly<Record<PlainCall, (store: KitStore, runId: string) => Promise<string>>> = {
  async createRun(store, runId) {
    return (await store.createRun({ runId, ownerId: OWNER, metadata: "null" })).outcome;
  },
  async read(store, runId) {
    await readRun(store, runId);
    return "answered";
  },
  async getRun(store, runId) {
    return (await store.getRun(runId)) === null ? "not_found" : "answered";
  },
  async listRuns(store) {
    await store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 10 });
    return "answered";
  },
  async listDue(store) {
    await store.listDue({ due: "leased", forMs: 0, limit: 10 });
    return "answered";
  },
  async release(store, runId) {
    return (await store.release({ runId, fence: 1 })).outcome;
  },
  deleteRun: (store, runId) => store.deleteRun(runId),
  async purge(store) {
    await store.purge({ finishedForMs: 0, limit: 10 });
    return "answered";
  },
  async probe(store) {
    await store.probe();
    return "answered";
  },
};

/**
 * Makes a call.
 * @throws what the store throws
 */
export async function callOf(store: KitStore, call: Call): Promise<CallAnswer> {
  if (call.call === "append") {
    const { runId, ids, idempotencyKey } = call;
    const request = appendRequest(runId, tokens(ids), { idempotencyKey });
    const [answer] = await store.append([request]);
    const firstSequence =
      answer !== undefined && "firstSequence" in answer ? answer.firstSequence : undefined;
    const outcome = answer?.outcome ?? "no answer";
    return { outcome, ...(firstSequence === undefined ? {} : { firstSequence }) };
  }
  if (call.call === "claim") {
    const { runId, claimKey, leaseMs } = call;
    const answer = await store.claim({ runId, leaseMs, claimKey });
    if (answer.outcome !== "granted") return { outcome: answer.outcome };
    return { outcome: answer.outcome, fence: answer.run.fence };
  }
  return { outcome: await PLAIN[call.call](store, call.runId) };
}

/** Makes a call once, and returns how it failed if it did. */
export async function askOnce(store: KitStore, call: Call): Promise<CallAnswer> {
  try {
    return await callOf(store, call);
  } catch (error) {
    return { outcome: "failed", failure: failureOf(error) };
  }
}

/**
 * Calls again as long as the store is unavailable and `retryable`.
 * @throws the last failure, if the store does not answer within 10 s
 */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = error instanceof RunEventsError && error.retryable;
      if (!isPassing || performance.now() > giveUpAt) throw error;
    }
    await setTimeout(PAUSE_MS);
  }
}

function failureOf(error: unknown): CallFailure {
  const isOwn = error instanceof RunEventsError;
  return {
    code: isOwn ? error.code : null,
    ambiguous: isOwn && error.ambiguous,
    retryable: isOwn && error.retryable,
    hasCause: error instanceof Error && error.cause instanceof Error,
    text: describeError(error),
  };
}
