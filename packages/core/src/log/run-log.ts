import { createFollowers, type Followers } from "../follow/followers.ts";
import { SLICE_BYTES } from "../follow/slice.ts";
import { tailSlices } from "../follow/tail.ts";
import {
  type Appender,
  type AppendOutcome,
  parseExpectedSequence,
  parseIdempotencyKey,
} from "../rules/append.ts";
import { hasBrand, RUN_LOG } from "../rules/brand.ts";
import { checkCursor, clampCursor } from "../rules/cursor.ts";
import { describeValue } from "../rules/describe-value.ts";
import { RunEventsError, runNotFound } from "../rules/errors.ts";
import { type EventDraft, MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES } from "../rules/event.ts";
import { appenderOf } from "../rules/lease.ts";
import { type AppendLimits, planEvents } from "../rules/lifecycle.ts";
import { metadataText } from "../rules/metadata.ts";
import {
  checkOptions,
  checkOwnerId,
  ownerIdOf,
  type OwnerOption,
  runAsAsked,
} from "../rules/owner.ts";
import {
  planPage,
  eventBytes,
  type LogPage,
  type ReadQuery,
  type ReadResult,
} from "../rules/page.ts";
import { type AppendReceipt, receiptOf } from "../rules/receipt.ts";
import { checkRunId, isRunId } from "../rules/run-id.ts";
import type { RunRecord } from "../rules/run.ts";
import { checkStore } from "../store/check-store.ts";
import type { ListQuery, RunEventStore } from "../store/store.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { createProbe, type Probe } from "../upkeep/probe.ts";
import { createUpkeep, type Upkeep } from "../upkeep/upkeep.ts";
import { createAppendQueue } from "./append-queue.ts";
import { createBatcher } from "./batcher.ts";
import { createLeases, type Leases } from "./leases.ts";
import { createOwnKeys } from "./own-keys.ts";
import { sendReads } from "./send-reads.ts";

/**
 * What one group of reads may weigh, in bytes: four slices of a large page, which take a SQLite file some 2 ms, or what is new of some
 * 340 followed runs.
 */
const READS_BYTES = 1_048_576;
/** What a read of a slice at most weighs, in bytes: of those who follow, few have all of it to come. */
const READ_BYTES = 3_072;
const GROUP_ITEMS = 1_024;
const PAGE_LIMIT = 500;
const PAGE_BYTES = 4_194_304;

/** How a run ends whose worker is gone. @see W33 */
const LEASE_EXPIRED: EventDraft = { eventType: "RUN_FAILED", payload: { reason: "lease_expired" } };
/** An end of core's own is no caller's payload: a run can be ended whatever those are held to. */
const NO_LIMITS: AppendLimits = { maxPayloadBytes: Infinity, maxBatchEvents: 1 };

/** Settings of `createRunLog` and `createRunEvents`. */
export interface RunEventsOptions {
  readonly store: RunEventStore;
  /** The most UTF-8 bytes of one payload's JSON text. Default 262,144. @see W9 */
  readonly maxPayloadBytes?: number;
  /** The most events of one append. Default 1,000. @see W9 */
  readonly maxBatchEvents?: number;
  /** Time for tails and streams. Default the host's. */
  readonly clock?: Clock;
}

/** Conditions of an append. */
export interface AppendOptions extends OwnerOption {
  /** 1 to 128 printable ASCII characters: the same key with the same events gives the original receipt. @see W10 */
  readonly idempotencyKey?: string | undefined;
  /** Refuse unless the run's `lastSequence` is this. @see W11 */
  readonly expectedSequence?: number | undefined;
  /** The fence of the lease that the caller has; without it a claimed run takes nothing. @see W32 */
  readonly fence?: number | undefined;
}

/** Which page of a run's log. */
export interface PageOptions extends OwnerOption {
  /** The last sequence the reader has. Default 0. */
  readonly since?: number;
  /** The most events. Default 500. */
  readonly limit?: number;
  /** The most bytes of the events together, but for a single one. Default 4,194,304. @see S9 */
  readonly maxBytes?: number;
}

/** The log of a store's runs with payloads, phases and metadata as JSON text: what a server passes on without looking. */
export interface RunLog extends Leases, Upkeep {
  readonly clock: Clock;
  readonly limits: AppendLimits;
  createRun(run: {
    readonly runId?: string | undefined;
    readonly ownerId: string;
    readonly metadata?: unknown;
  }): Promise<{
    readonly created: boolean;
    readonly run: RunRecord;
  }>;
  append(
    runId: string,
    events: readonly EventDraft[],
    options?: AppendOptions,
  ): Promise<AppendReceipt>;
  /** @throws RunEventsError `not_found`, `cursor_ahead`, `store_unavailable`. @see W15, W16 */
  readPage(runId: string, options?: PageOptions): Promise<LogPage & { readonly run: RunRecord }>;
  /** Resolves once the run's log goes on behind `since`, or the run has ended. @throws as `readPage`, or the signal's reason. */
  waitFor(
    runId: string,
    options: OwnerOption & { readonly since: number; readonly signal: AbortSignal },
  ): Promise<void>;
  getRun(runId: string, options?: OwnerOption): Promise<RunRecord>;
  /** Newest first. `next` is the `before` of the page after, `null` behind the last run. */
  listRuns(
    query: ListQuery,
  ): Promise<{ readonly runs: readonly RunRecord[]; readonly next: number | null }>;
  /** Ends the run as cancelled unless it has ended already, whoever has it: no fence is needed. @see W13, S22 */
  cancel(runId: string, options?: OwnerOption): Promise<RunRecord>;
  /** @throws RunEventsError `not_found`, `run_active`. @see W14 */
  deleteRun(runId: string, options?: OwnerOption): Promise<void>;
  /** As `RunEvents.probe`. @see S31 */
  readonly probe: Probe;
  /** Ends every reader, lets the appends under way land, then closes the store. Idempotent. @see S18 */
  close(): Promise<void>;
}

/** Whether the value is a `RunLog`, of this copy of the package or of another. */
export function isRunLog(value: unknown): value is RunLog {
  return hasBrand(value, RUN_LOG);
}

/**
 * The followers of a log: the readers of a process share one a run. A log keeps them under its brand, so that no user sees them, and
 * another copy of the package finds them.
 */
export function followersOf(log: RunLog): Followers {
  return (log as RunLog & { readonly [RUN_LOG]: Followers })[RUN_LOG];
}

/** Opens the log over a store. @throws TypeError for what is no store, or takes no append at once. `createRunEvents` is the door for those who want values instead of JSON text. */
export function createRunLog(options: RunEventsOptions): RunLog {
  checkOptions(options, "{ store }");
  checkStore(options.store);
  const {
    store,
    maxPayloadBytes = MAX_PAYLOAD_BYTES,
    maxBatchEvents = MAX_BATCH_EVENTS,
    clock = systemClock,
  } = options;
  checkCount("maxPayloadBytes", maxPayloadBytes);
  checkCount("maxBatchEvents", maxBatchEvents);
  const limits: AppendLimits = { maxPayloadBytes, maxBatchEvents };
  let closing: Promise<void> | null = null;
  const newKey = createOwnKeys();
  /** A store that can lose an acknowledgement gets a key for every append. @see S7 */
  const ownKey = (): string | null => (store.capabilities.losesAcknowledgements ? newKey() : null);

  const isClosing = (): boolean => closing !== null;

  const appends = createAppendQueue(store, clock, isClosing);
  const reads = createBatcher<ReadQuery, ReadResult | null>({
    send: (group, settle) => sendReads(store, group, settle),
    keyOf: runAsAsked,
    ownerOf: ({ ownerId }) => ownerId,
    clock,
    weigh({ limit, maxBytes }) {
      const most = Math.min(maxBytes, eventBytes(maxPayloadBytes) * limit);
      return most <= SLICE_BYTES ? READ_BYTES : most;
    },
    maxWeight: READS_BYTES,
    // No less: most reads return little, whatever their limit.
    sharedWeight: READS_BYTES,
    groupsAtOnce: 1,
    maxItems: GROUP_ITEMS,
  });
  async function read(query: ReadQuery): Promise<ReadResult | null> {
    checkRunId(query.runId);
    return reads.add(query);
  }
  const followers = createFollowers(
    { read, watch: (runId, wake) => store.watch(runId, wake) },
    clock,
  );

  const probe = createProbe(store, clock);

  /** Ends a run from outside its worker. */
  function end(
    runId: string,
    draft: EventDraft,
    appender: Appender,
    ownerId: string | null = null,
  ): Promise<AppendOutcome> {
    const planned = planEvents([draft], NO_LIMITS);
    const conditions = { ownerId, idempotencyKey: ownKey(), expectedSequence: null, appender };
    return appends.add({ ...planned, ...conditions, runId });
  }

  async function append(
    runId: string,
    drafts: readonly EventDraft[],
    conditions: AppendOptions = {},
  ): Promise<AppendReceipt> {
    const { idempotencyKey } = conditions;
    const ownerId = ownerIdOf(conditions);
    checkRunId(runId);
    const planned = planEvents(drafts, limits);
    const expectedSequence = parseExpectedSequence(conditions.expectedSequence);
    const key = idempotencyKey === undefined ? ownKey() : parseIdempotencyKey(idempotencyKey);
    const receipt = receiptOf(
      await appends.add({
        ...planned,
        runId,
        ownerId,
        idempotencyKey: key,
        expectedSequence,
        appender: appenderOf(conditions.fence),
      }),
    );
    // A caller that gave no key replays nothing: it is core's key that was sent again.
    return idempotencyKey === undefined ? { ...receipt, replayed: false } : receipt;
  }

  async function getRun(runId: string, owner: OwnerOption = {}): Promise<RunRecord> {
    const ownerId = ownerIdOf(owner);
    checkRunId(runId);
    const run = await store.getRun(runId);
    if (run === null || (ownerId !== null && run.ownerId !== ownerId)) throw runNotFound();
    return run;
  }

  const log: RunLog = {
    clock,
    limits,
    append,
    getRun,
    ...createLeases(store, { clock, isClosing }),
    probe: async (options) => void (await probe(options)),
    ...createUpkeep(store, clock, probe, (runId, appender) => end(runId, LEASE_EXPIRED, appender)),
    async createRun(run) {
      checkOptions(run, "{ ownerId }");
      const { runId = crypto.randomUUID(), ownerId, metadata } = run;
      if (!isRunId(runId)) {
        throw new RunEventsError(
          "invalid_request",
          `Expected \`runId\` to match ^[A-Za-z0-9_-]{1,128}$, got ${describeValue(runId)}.`,
        );
      }
      const text = metadataText(metadata, maxPayloadBytes);
      checkOwnerId(ownerId);
      const outcome = await store.createRun({ runId, ownerId, metadata: text });
      if (outcome.outcome === "taken")
        throw new RunEventsError(
          "run_id_taken",
          "Expected a new `runId`, but another run has this one. Choose another id, or leave `runId` out.",
        );
      return { created: outcome.outcome === "created", run: outcome.run };
    },
    async readPage(runId, pageOptions = {}) {
      const { since = 0, limit = PAGE_LIMIT, maxBytes = PAGE_BYTES } = pageOptions;
      const ownerId = ownerIdOf(pageOptions);
      checkCursor(since);
      checkLimit("limit", limit);
      checkLimit("maxBytes", maxBytes);
      const result = await read({ runId, ownerId, since, limit, maxBytes });
      if (result === null) throw runNotFound();
      return { ...planPage(result, clampCursor(since, result.run)), run: result.run };
    },
    async waitFor(runId, waitOptions) {
      for await (const _slice of tailSlices(followers, runId, waitOptions)) return;
    },
    async listRuns(query) {
      checkLimit("limit", query.limit);
      checkOwnerId(query.ownerId);
      const runs = await store.listRuns({ ...query, limit: query.limit + 1 });
      const page = runs.slice(0, query.limit);
      return {
        runs: page,
        next: runs.length > query.limit ? (page.at(-1)?.ordinal ?? null) : null,
      };
    },
    async cancel(runId, owner = {}) {
      const ownerId = ownerIdOf(owner);
      checkRunId(runId);
      const outcome = await end(runId, { eventType: "RUN_CANCELLED" }, { by: "owner" }, ownerId);
      // Somebody else ended the run first: that is what was asked for.
      if (outcome.outcome !== "finished") receiptOf(outcome);
      return getRun(runId, owner);
    },
    async deleteRun(runId, owner = {}) {
      const ownerId = ownerIdOf(owner);
      checkRunId(runId);
      const outcome = await store.deleteRun(runId, ownerId);
      if (outcome === "not_found") throw runNotFound();
      if (outcome === "active")
        throw new RunEventsError(
          "run_active",
          "Expected a run that has finished, but this one has not. Cancel it first.",
        );
    },
    close() {
      closing ??= (async () => {
        followers.close();
        await Promise.all([appends.idle(), reads.idle()]);
        await store.close();
      })();
      return closing;
    },
  };
  // An object made of a log's members is a log, too.
  return Object.assign(log, { [RUN_LOG]: followers });
}

/** @throws TypeError unless each limit is a usable number */
function checkCount(name: string, value: unknown): void {
  if (typeof value === "number" && value >= 1) return;
  throw new TypeError(`Expected \`${name}\` to be 1 or more, got ${describeValue(value)}.`);
}

/** @throws RunEventsError `invalid_request` unless a page of this size can be read. */
function checkLimit(name: string, limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RunEventsError(
      "invalid_request",
      `Expected \`${name}\` to be a positive integer, got ${describeValue(limit)}.`,
    );
  }
}
