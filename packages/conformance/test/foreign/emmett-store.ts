import type { PostgresEventStore } from "@event-driven-io/emmett-postgresql";
import { isTerminal, RunEventsError } from "@tm/run-events-core";
import {
  INITIAL_STATE,
  advanceRun,
  type AppendOutcome,
  type AppendRequest,
  createPageCut,
  isOwnerName,
  isListed,
  judgeAppend,
  type ReadQuery,
  type ReadResult,
  type RunEventStore,
  type RunRecord,
  type StoreCapabilities,
  storeClosed,
  utf8Bytes,
} from "@tm/run-events-core/store";
import { createPolledNotifier } from "./polled-notifier.ts";
import type { FactsTable } from "./run-facts.ts";
import { foldStream, type RunFacts, type StreamEvent, type StreamRun } from "./stream-run.ts";

/** The contract as far as Emmett goes. */
export interface EmmettStore extends RunEventStore {
  migrate(): Promise<void>;
}

/** Runs as streams of Emmett's. */
class EmmettStreams {
  readonly #emmett: PostgresEventStore;
  readonly #facts: FactsTable;
  readonly #streamType: string;
  readonly #triesAgain: boolean;

  constructor(
    emmett: PostgresEventStore,
    facts: FactsTable,
    streamType: string,
    triesAgain: boolean,
  ) {
    this.#emmett = emmett;
    this.#facts = facts;
    this.#streamType = streamType;
    this.#triesAgain = triesAgain;
  }

  async readStream(run: RunFacts): Promise<StreamRun> {
    const { events } = await this.#emmett.readStream(this.#streamOf(run.runId));
    return foldStream(run, events as unknown as readonly StreamEvent[]);
  }

  async find(runId: string, ownerId: string | null = null): Promise<StreamRun | null> {
    const run = await this.#facts.get(runId);
    if (run === null || (ownerId !== null && run.ownerId !== ownerId)) return null;
    return this.readStream(run);
  }

  async append(request: AppendRequest): Promise<AppendOutcome> {
    // Each conflict means that another append has landed: one append always gets on.
    for (;;) {
      const before = (await this.find(request.runId))?.run ?? null;
      const refusal = judgeAppend(before, null, request, Date.now());
      if (refusal !== null || before === null) return refusal ?? { outcome: "not_found" };
      try {
        return await this.#landedAt(await this.#appendTo(before, request), before, request);
      } catch (error) {
        if (!isConflict(error)) throw error;
        if (request.expectedSequence !== null || !this.#triesAgain) {
          return this.#conflict(request, before);
        }
      }
    }
  }

  #streamOf(runId: string): string {
    return `${this.#streamType}-${runId}`;
  }

  /** @returns the sequence of the last event */
  async #appendTo(before: RunRecord, request: AppendRequest): Promise<number> {
    const createdAtMs = Date.now();
    const expected = request.expectedSequence ?? (this.#triesAgain ? before.lastSequence : null);
    const { nextExpectedStreamVersion } = await this.#emmett.appendToStream(
      this.#streamOf(request.runId),
      request.events.map(({ eventType, payload }) => ({
        type: eventType,
        data: { payload: JSON.parse(payload) as unknown },
        metadata: { createdAtMs },
      })),
      expected === null ? {} : { expectedStreamVersion: BigInt(expected) },
    );
    return Number(nextExpectedStreamVersion);
  }

  /** Emmett does not say which version it has found instead. */
  async #conflict(request: AppendRequest, before: RunRecord): Promise<AppendOutcome> {
    const { run } = (await this.find(request.runId)) ?? { run: before };
    const { lastSequence } = run;
    return (
      judgeAppend(run, null, request, Date.now()) ?? { outcome: "sequence_conflict", lastSequence }
    );
  }

  async #landedAt(
    lastSequence: number,
    before: RunRecord,
    request: AppendRequest,
  ): Promise<AppendOutcome> {
    const firstSequence = lastSequence - request.events.length + 1;
    let { phase, runStatus } = advanceRun(before, request, 0).landing;
    if (firstSequence !== before.lastSequence + 1) {
      // Others came in between, and phase and status may be theirs: the stream knows.
      const state = (await this.find(request.runId))?.states[lastSequence - 1] ?? INITIAL_STATE;
      ({ phase, runStatus } = state);
    }
    return { outcome: "appended", firstSequence, lastSequence, runStatus, phase };
  }
}

const CAPABILITIES: StoreCapabilities = {
  durability: "power",
  shared: true,
  joinsTransaction: false,
  losesAcknowledgements: true,
  appendsAtOnce: 1,
  notifyWithinMs: 1_000,
};

/** What every call that Emmett has not is refused with. */
const MISSING = {
  claim: noLeases,
  renew: noLeases,
  release: noLeases,
  listExpired: noLeases,
  listChanged: () => Promise.reject(missing("index of streams that ended")),
  listIdle: () => Promise.reject(missing("index of idle streams")),
  purge: () => Promise.reject(missing("deletion of a stream")),
  probe: () => Promise.reject(missing("probe")),
};

/**
 * A stream a run, written by Emmett's `appendToStream` and read by its `readStream`; status, phase and head are a fold over the
 * stream. A request that expects a sequence hands it to Emmett; one that expects none asks Emmett for no check. Owners,
 * metadata, ordinals and notifications are this file's own, since Emmett has none. Keys and deletes it has none of either, and those are
 * refused.
 * @param streamType keeps the streams apart of stores that share a database
 * @param triesAgain an append that expects nothing expects the version that was read, and reads again after a conflict
 */
export function createEmmettStore(
  emmett: PostgresEventStore,
  facts: FactsTable,
  streamType: string,
  triesAgain: boolean,
): EmmettStore {
  let closed = false;
  const streams = new EmmettStreams(emmett, facts, streamType, triesAgain);
  const counters = createPolledNotifier((name) => headOf(streams, name));

  /** @throws RunEventsError `store_unavailable` */
  async function ask<T>(call: () => Promise<T>): Promise<T> {
    if (closed) throw storeClosed();
    return orUnavailable(call);
  }

  return {
    ...MISSING,
    capabilities: CAPABILITIES,
    async migrate() {
      await emmett.schema.migrate();
      await facts.migrate();
    },
    createRun: ({ topic = null, ...named }) =>
      ask(async () => {
        const { runId, ownerId } = named;
        const created = await facts.insert({ ...named, topic, createdAtMs: Date.now() });
        if (created !== null) return { outcome: "created", run: foldStream(created, []).run };
        const existing = await streams.find(runId, ownerId);
        return existing === null
          ? { outcome: "taken" }
          : { outcome: "existing", run: existing.run };
      }),
    append: (requests) =>
      ask(async () => {
        if (requests.some(({ idempotencyKey }) => idempotencyKey !== null)) {
          throw missing("idempotency keys");
        }
        const outcomes: AppendOutcome[] = [];
        for (const request of requests) outcomes.push(await streams.append(request));
        return outcomes;
      }),
    read: (queries) =>
      ask(() => {
        const pages = queries.map(async (query) =>
          cutPage(query, await streams.find(query.runId, query.ownerId)),
        );
        return Promise.all(pages);
      }),
    getRun: (runId) => ask(async () => (await streams.find(runId))?.run ?? null),
    listRuns: ({ ownerId, runStatus, topic = null, before, limit }) =>
      ask(async () => {
        const listed: RunRecord[] = [];
        for (const one of await facts.list({ ownerId, before })) {
          if (listed.length === limit) break;
          const { run } = await streams.readStream(one);
          if (isListed(run, { runStatus, topic })) listed.push(run);
        }
        return listed;
      }),
    deleteRun: (runId, ownerId) =>
      ask(async () => {
        const { run } = (await streams.find(runId, ownerId)) ?? {};
        if (run === undefined) return "not_found";
        if (!isTerminal(run.runStatus)) return "active";
        throw missing("deletion of a stream");
      }),
    subscribe(runId, onNotification) {
      if (!closed) return counters.subscribe(runId, onNotification);
      const ready = Promise.reject(storeClosed());
      ready.catch(() => {});
      return { ready, stop() {} };
    },
    async close() {
      closed = true;
      counters.close();
      await emmett.close();
    },
  };
}

/** What differs after a change. Nothing shows an owner's new runs: its subscriptions are notified each second. */
async function headOf(streams: EmmettStreams, name: string): Promise<string> {
  if (isOwnerName(name)) return String(Math.floor(Date.now() / 1_000));
  const { run } = (await streams.find(name)) ?? {};
  return `${run?.ordinal} ${run?.lastSequence}`;
}

/** @throws RunEventsError `store_unavailable` */
async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof RunEventsError) throw cause;
    throw new RunEventsError("store_unavailable", "Emmett failed.", {
      cause,
      ambiguous: !isAnswer(cause),
    });
  }
}

function cutPage(
  { since, limit, maxBytes, withTime }: ReadQuery,
  found: StreamRun | null,
): ReadResult | null {
  if (found === null) return null;
  const { run, events, states } = found;
  const belongs = createPageCut(limit, maxBytes);
  const rest = events.slice(since).findIndex((one) => !belongs(utf8Bytes(one.payload)));
  const { phase, runStatus } = states[Math.min(since, states.length) - 1] ?? INITIAL_STATE;
  const timeAtSinceMs = events[since - 1]?.createdAtMs ?? null;
  return {
    run,
    ...(withTime === true && { timeAtSinceMs }),
    phaseAtSince: phase,
    statusAtSince: runStatus,
    events: events.slice(since, rest === -1 ? undefined : since + rest),
  };
}

function noLeases(): Promise<never> {
  return Promise.reject(missing("leases"));
}

function missing(what: string): RunEventsError {
  return new RunEventsError("store_unavailable", `Emmett has no ${what}.`, { retryable: false });
}

/** Whether Emmett refused an append for the stream's version. */
function isConflict(error: unknown): boolean {
  return error instanceof Error && "errorCode" in error && error.errorCode === 412;
}

/** Whether the database itself answered with the error: then nothing was done. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && "severity" in error;
}
