import { checkBound } from "../rules/check-bound.ts";
import { describeValue } from "../rules/describe-value.ts";
import type { RunStatus } from "../rules/event.ts";
import { RunEventsError, runNotFound } from "../rules/errors.ts";
import { metadataText } from "../rules/metadata.ts";
import { checkOptions, checkOwnerId, ownerIdOf } from "../rules/owner.ts";
import { checkRunId, isReserved, isRunId } from "../rules/run-id.ts";
import type { CreateClaim, CreateOutcome } from "../rules/creation.ts";
import { checkTopic, checkWorkerName } from "../rules/short-text.ts";
import { checkLease, claimKeyOf, leaseError } from "./leases.ts";
import type { RunLog } from "./run-log.ts";
import type { RunCalls } from "./run-calls.ts";

/** The runs to list. */
export interface ListOptions {
  readonly ownerId: string;
  /** Only runs in this status. `live` is for all that have not finished. Without it, runs in every status. */
  readonly status?: RunStatus | "live" | undefined;
  /** Only runs of this topic. Without it, runs of all topics. */
  readonly topic?: string | undefined;
  /**
   * The most runs, 1 or more.
   * @defaultValue 50
   */
  readonly limit?: number;
  /** The `nextCursor` of the page before. Without it, the newest runs. */
  readonly cursor?: number | undefined;
}

/** The runs of a store, without their events. */
export type Runs = Pick<RunLog, "createRun" | "getRun" | "listRuns" | "deleteRun">;

/**
 * Makes the calls for a store's runs.
 * @param maxPayloadBytes the most UTF-8 bytes of a run's metadata
 */
export function createRuns(
  calls: Pick<RunCalls, "create" | "get" | "list" | "remove">,
  maxPayloadBytes: number,
): Runs {
  return {
    async createRun(run) {
      checkOptions(run, "{ ownerId }");
      const { runId = crypto.randomUUID(), ownerId, metadata } = run;
      const topic = checkTopic(run.topic);
      if (!isRunId(runId)) throw badRunId(runId);
      if (isReserved(runId)) throw reservedRunId(runId);
      const text = metadataText(metadata, maxPayloadBytes);
      checkOwnerId(ownerId);
      const exclusive = checkExclusive(run.exclusive, topic);
      const request = { runId, ownerId, topic, exclusive, metadata: text, claim: claimIn(run) };
      return createdRun(await calls.create(request));
    },
    async getRun(runId, owner) {
      const ownerId = ownerIdOf(owner);
      checkRunId(runId);
      const run = await calls.get({ ownerId, runId });
      if (run === null) throw runNotFound();
      return run;
    },
    async listRuns(query) {
      checkBound("limit", query.limit, 1);
      checkOwnerId(query.ownerId);
      const topic = checkTopic(query.topic);
      const runs = await calls.list({ ...query, topic, limit: query.limit + 1 });
      const page = runs.slice(0, query.limit);
      return {
        runs: page,
        next: runs.length > query.limit ? (page.at(-1)?.ordinal ?? null) : null,
      };
    },
    async deleteRun(runId, owner) {
      const ownerId = ownerIdOf(owner);
      checkRunId(runId);
      const outcome = await calls.remove({ ownerId, runId });
      if (outcome === "not_found") throw runNotFound();
      if (outcome === "active") throw runActive();
    },
  };
}

/** The claim that a creation asks for; `null` for none. */
function claimIn({
  runId,
  leaseMs,
  worker,
  idempotencyKey,
}: Parameters<RunLog["createRun"]>[0]): CreateClaim | null {
  if (idempotencyKey !== undefined && runId === undefined) {
    throw new RunEventsError(
      "invalid_request",
      "Expected `runId` with an idempotency key, got the key alone. Choose the run's id, so that a creation that is sent again finds its run.",
    );
  }
  const name = checkWorkerName(worker);
  if (leaseMs === undefined) {
    if (name === null) return null;
    throw new RunEventsError(
      "invalid_request",
      "Expected `worker` only with `leaseMs`, got it alone. Add `leaseMs` to claim the run, or leave `worker` out.",
    );
  }
  checkLease(leaseMs);
  return { leaseMs, worker: name, claimKey: claimKeyOf(idempotencyKey) };
}

function createdRun(outcome: CreateOutcome): Awaited<ReturnType<RunLog["createRun"]>> {
  switch (outcome.outcome) {
    case "created":
    case "existing":
      return { created: outcome.outcome === "created", run: outcome.run };
    case "topic_busy":
      throw topicIsBusy(outcome.runId);
    case "claimed":
    case "finished":
      throw leaseError(outcome);
  }
}

/** @throws RunEventsError `invalid_request` unless it is a boolean, and only true with a topic */
function checkExclusive(exclusive: unknown, topic: string | null): boolean {
  if (exclusive === undefined || exclusive === false) return false;
  if (exclusive !== true) {
    throw new RunEventsError(
      "invalid_request",
      `Expected \`exclusive\` to be true or false, got ${describeValue(exclusive)}. Change it, or leave it out.`,
    );
  }
  if (topic !== null) return true;
  throw new RunEventsError(
    "invalid_request",
    "Expected `exclusive` only with `topic`, got it alone. Add the topic of which this run is to be the only live one.",
  );
}

function topicIsBusy(runId: string): RunEventsError {
  return new RunEventsError(
    "topic_busy",
    `Expected no live run of this topic, but ${runId} has not finished. Cancel it or wait for its end, and try again.`,
    { details: { runId } },
  );
}

function badRunId(runId: unknown): RunEventsError {
  return new RunEventsError(
    "invalid_request",
    `Expected \`runId\` to match ^[A-Za-z0-9_-]{1,128}$, got ${describeValue(runId)}. Leave it out for a new UUID.`,
  );
}

function reservedRunId(runId: string): RunEventsError {
  return new RunEventsError(
    "invalid_request",
    `Expected \`runId\` not to be \`${runId}\`, which is a path. Choose another id, or leave it out for a new UUID.`,
  );
}

function runActive(): RunEventsError {
  return new RunEventsError(
    "run_active",
    "Expected a run that has finished, but this one has not. Cancel it first.",
  );
}
