import { describeValue } from "../rules/describe-value.ts";
import { RunEventsError, runNotFound } from "../rules/errors.ts";
import { isVisible } from "../rules/judge-append.ts";
import { metadataText } from "../rules/metadata.ts";
import { checkOptions, checkOwnerId, ownerIdOf } from "../rules/owner.ts";
import { checkRunId, isReserved, isRunId } from "../rules/run-id.ts";
import { checkTopic } from "../rules/topic.ts";
import type { RunEventStore } from "../store/store.ts";
import { checkLimit } from "./check-limit.ts";
import type { RunLog } from "./run-log.ts";

/** The runs of a store, without their events. */
export type Runs = Pick<RunLog, "createRun" | "getRun" | "listRuns" | "deleteRun">;

/**
 * Makes the calls for a store's runs.
 * @param maxPayloadBytes the most UTF-8 bytes of a run's metadata
 */
export function createRuns(
  store: Pick<RunEventStore, "createRun" | "getRun" | "listRuns" | "deleteRun">,
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
      const outcome = await store.createRun({ runId, ownerId, topic, metadata: text });
      if (outcome.outcome === "taken") throw runIdTaken();
      return { created: outcome.outcome === "created", run: outcome.run };
    },
    async getRun(runId, owner = {}) {
      const ownerId = ownerIdOf(owner);
      checkRunId(runId);
      const run = await store.getRun(runId);
      if (run === null || !isVisible(run, ownerId)) throw runNotFound();
      return run;
    },
    async listRuns(query) {
      checkLimit("limit", query.limit);
      checkOwnerId(query.ownerId);
      checkTopic(query.topic);
      const runs = await store.listRuns({ ...query, limit: query.limit + 1 });
      const page = runs.slice(0, query.limit);
      return {
        runs: page,
        next: runs.length > query.limit ? (page.at(-1)?.ordinal ?? null) : null,
      };
    },
    async deleteRun(runId, owner = {}) {
      const ownerId = ownerIdOf(owner);
      checkRunId(runId);
      const outcome = await store.deleteRun(runId, ownerId);
      if (outcome === "not_found") throw runNotFound();
      if (outcome === "active") throw runActive();
    },
  };
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

function runIdTaken(): RunEventsError {
  return new RunEventsError(
    "run_id_taken",
    "Expected a new `runId`, but another run has this one. Choose another id, or leave `runId` out.",
  );
}

function runActive(): RunEventsError {
  return new RunEventsError(
    "run_active",
    "Expected a run that has finished, but this one has not. Cancel it first.",
  );
}
