import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type {
  ClaimRequest,
  LeaseOutcome,
  LeaseRefusal,
  ReleaseRequest,
  RenewRequest,
} from "../rules/claims.ts";
import type { CreateOutcome, NewRunRequest } from "../rules/creation.ts";
import { type RunName, recordOf, runOf } from "../rules/head.ts";
import { claimRule, releaseRule, renewRule } from "../rules/lease-rules.ts";
import { eventBytes } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";
import { createRule, dueRule, type RemovalOutcome, removalRule } from "../rules/run-rules.ts";
import type { OwnerQuery } from "../store/store.ts";
import type { WatchedStore } from "../upkeep/watched-store.ts";
import type { UpkeepCalls } from "../upkeep/reaper.ts";
import { headQuery, listRuns } from "./list-runs.ts";
import type { SendTimes } from "./send-again.ts";
import { createWriteQueue, type WriteQueue } from "./write-queue.ts";
import { appendWrite, type Write, ruledWrite } from "./write.ts";

/** The outcome of a renewal. */
type RenewOutcome =
  | { readonly outcome: "granted"; readonly leaseExpiresAtMs: number | null }
  | LeaseRefusal;

/** The calls on runs that core's rules make of a store, as outcomes. Each names its owner. */
export interface RunCalls extends UpkeepCalls {
  create(request: NewRunRequest): Promise<CreateOutcome>;
  append(request: AppendRequest & RunName): Promise<AppendOutcome>;
  claim(request: ClaimRequest & RunName): Promise<LeaseOutcome>;
  renew(request: RenewRequest & RunName): Promise<RenewOutcome>;
  release(request: ReleaseRequest & RunName): Promise<LeaseOutcome>;
  remove(name: RunName): Promise<RemovalOutcome>;
  /** A run's record, with its metadata; `null` if it does not exist. */
  get(name: RunName): Promise<RunRecord | null>;
  /** An owner's runs, newest first, with their metadata. A list that is shorter than its limit is the last. */
  list(query: OwnerQuery): Promise<readonly RunRecord[]>;
  /** Resolves when no write is queued or under way. */
  idle(): Promise<void>;
}

/** Makes the calls on the runs of a store. */
export function createRunCalls(store: WatchedStore, times: SendTimes): RunCalls {
  const queue: WriteQueue = createWriteQueue(store, times);
  const withMetadata = { wantsMetadata: true };

  const listDue: RunCalls["listDue"] = (due, forMs, limit) => store.list({ due, forMs, limit });

  return {
    create: (request) => {
      const { exclusive = false, topic = null } = request;
      const place = exclusive ? topic : null;
      const weight = eventBytes(request.metadata.length);
      const needs = { ...withMetadata, topic: place, call: "create", weight } as const;
      return queue.add(ruledWrite(request, createRule(request), needs));
    },
    append: (request) => queue.add(appendWrite(request)),
    claim: (request) =>
      queue.add(ruledWrite(request, claimRule(request), { ...withMetadata, call: "claim" })),
    renew: (request) => queue.add(renewWrite(request)),
    release: (request) => queue.add(ruledWrite(request, releaseRule(request), withMetadata)),
    remove: (name) => queue.add(ruledWrite(name, removalRule())),
    async get(name) {
      const [result = null] = await store.read([headQuery(name)]);
      return result === null ? null : recordOf(runOf(result.head));
    },
    list: (query) => listRuns(store, query),
    listDue,
    end: (name, limit) => queue.add(ruledWrite(name, dueRule(limit))),
    async purge(finishedForMs, limit) {
      const heads = await listDue("finished", finishedForMs, limit);
      const removals = heads.map((head) => queue.add(ruledWrite(head, removalRule(finishedForMs))));
      // Even if one fails, the caller learns of it only when the others are over.
      await Promise.allSettled(removals);
      const outcomes = await Promise.all(removals);
      return heads
        .filter((_, at) => outcomes[at] === "deleted")
        .map(({ ownerId, runId }) => ({ ownerId, runId }));
    },
    idle: () => queue.idle(),
  };
}

/** A renewal as a write, which is usually plain. */
function renewWrite(request: RenewRequest & RunName): Write<RenewOutcome> {
  const { ownerId, runId, fence, leaseMs } = request;
  const rule = renewRule(request);
  return {
    ...ruledWrite<RenewOutcome>(request, (seen) => {
      const { answer, ...written } = rule(seen);
      if (answer.outcome !== "granted") return { answer };
      const { leaseExpiresAtMs } = answer.run;
      return { answer: { outcome: "granted", leaseExpiresAtMs }, ...written };
    }),
    plain: {
      request: {
        ownerId,
        runId,
        fence,
        leaseMs,
        events: [],
        expectedSequence: null,
        idempotencyKey: null,
      },
      answerOf: ({ leaseExpiresAtMs }) => ({ outcome: "granted", leaseExpiresAtMs }),
    },
  };
}
