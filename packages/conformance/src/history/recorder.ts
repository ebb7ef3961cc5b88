import { RunEventsError } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { foldEvent } from "@tm/run-events-core/wire";
import type { AppendOutcome, AppendRequest, LeaseOutcome, RenewOutcome } from "../core-calls.ts";
import { assert, assertEqual } from "../assert.ts";
import { NO_EVENTS, readLog, readRun } from "../read-log.ts";
import { idOf, phaseIdOf } from "./named-event.ts";
import { startIn } from "./start-in.ts";
import type {
  AppendOperation,
  AppendResult,
  History,
  LeaseOperation,
  LeaseResult,
  LoggedEvent,
  Operation,
} from "./operation.ts";

/** One client's calls to one store object, each of them recorded. Their events are `namedEvent`s. */
export interface RecordedClient {
  /** @returns the heads of the runs, as far as the answers show */
  append(requests: readonly AppendRequest[]): Promise<ReadonlyMap<string, number>>;
  /**
   * A page.
   * @returns the head's sequence.
   * @throws Error for a page that is wrong no matter who appends meanwhile
   */
  read(runId: string, since: number, limit: number): Promise<number>;
  /** The head alone. @returns its sequence */
  head(runId: string): Promise<number>;
  /** @param fence the one to renew or release; `null` to claim. @returns the fence of what was granted, else `null` */
  lease(
    runId: string,
    asks: LeaseOperation["asks"],
    fence: number | null,
    leaseMs: number,
  ): Promise<number | null>;
  /** Creates an exclusive run of a topic, and claims it in the same step, under a key if one is given. */
  start(runId: string, topic: string, leaseMs: number, claimKey?: string): Promise<Started>;
}

/** What a creation gave a client. */
interface Started {
  /** The fence of the lease that was granted; `null` if none was. */
  readonly fence: number | null;
  /** The run that has the topic's place, if the creation was refused for it; else `null`. */
  readonly holder: string | null;
}

/** Keeps what was asked and answered. */
export interface Recorder {
  readonly operations: readonly Operation[];
  /** What stores rejected appends with, the first first. */
  readonly failures: readonly RunEventsError[];
  client(name: string, store: KitStore): RecordedClient;
}

/**
 * @param now a clock that never goes back and that all clients share; default counts, so that no two instants are one
 * @param announce called with each append, as one without an answer, and waited for before the call is made
 */
export function createRecorder(
  now: () => number = createCounter(),
  announce: ((begun: readonly Operation[]) => Promise<void>) | null = null,
): Recorder {
  const operations: Operation[] = [];
  const failures: RunEventsError[] = [];
  return {
    operations,
    failures,
    client(name, store) {
      let call = 0;
      return {
        async append(requests) {
          call += 1;
          const asked = requests.map((request) => begunAppend(request, name, call, now()));
          if (announce !== null) await announce(asked);
          const begunAt = now();
          const results = await appendTo(store, requests, failures);
          const endedAt = now();
          const heads = new Map<string, number>();
          asked.forEach((one, index) => {
            const result = results[index] ?? one.result;
            operations.push({ ...one, begunAt, endedAt, result });
            if ("lastSequence" in result) heads.set(one.runId, result.lastSequence);
          });
          return heads;
        },
        async read(runId, since, limit) {
          const begunAt = now();
          const { run, events } = await readRun(store, runId, { since, limit });
          const page = { since, ids: events.map(idOf), ...headOf(run) };
          operations.push({ kind: "read", client: name, runId, ...page, begunAt, endedAt: now() });
          return run.lastSequence;
        },
        async head(runId) {
          const begunAt = now();
          const run = await store.getRun(runId);
          assert(run !== null, `${runId} is there`);
          const page = { since: run.lastSequence, ids: [], ...headOf(run) };
          operations.push({ kind: "read", client: name, runId, ...page, begunAt, endedAt: now() });
          return run.lastSequence;
        },
        async lease(runId, asks, fence, leaseMs) {
          const open = { begunAt: now(), endedAt: null, result: { outcome: "unknown" } } as const;
          const asked = { kind: "lease", client: name, runId, asks, fence, leaseMs } as const;
          if (announce !== null) await announce([{ ...asked, ...open }]);
          const begunAt = now();
          const result = await answerFor(store, { ...asked, ...open }, failures);
          operations.push({ ...asked, begunAt, endedAt: now(), result });
          return result.outcome === "granted" ? result.fence : null;
        },
        async start(runId, topic, leaseMs, claimKey) {
          const named = { client: name, runId };
          const lease = { kind: "lease", ...named, asks: "claim", fence: null, leaseMs } as const;
          const creation = { kind: "create", ...named, topic } as const;
          const open = { begunAt: now(), endedAt: null, result: { outcome: "unknown" } } as const;
          if (announce !== null)
            await announce([
              { ...creation, ...open },
              { ...lease, ...open },
            ]);
          const begunAt = now();
          const { created, claimed } = await startIn(
            store,
            { ...creation, ...open },
            { leaseMs, ...(claimKey === undefined ? {} : { claimKey }) },
            failures,
          );
          const endedAt = now();
          operations.push({ ...creation, begunAt, endedAt, result: created });
          if (claimed !== null) operations.push({ ...lease, begunAt, endedAt, result: claimed });
          return {
            fence: claimed?.outcome === "granted" ? claimed.fence : null,
            holder: created.outcome === "topic_busy" ? created.holder : null,
          };
        },
      };
    },
  };
}

/** Asks a store about a lease. */
function askFor(store: KitStore, asked: LeaseOperation): Promise<LeaseOutcome | RenewOutcome> {
  const { runId, asks, leaseMs } = asked;
  const request = { runId, fence: asked.fence ?? 0 };
  switch (asks) {
    case "claim":
      return store.claim({ runId, leaseMs });
    case "renew":
      return store.renew({ ...request, leaseMs });
    case "release":
      return store.release(request);
  }
}

async function answerFor(
  store: KitStore,
  asked: LeaseOperation,
  failures: RunEventsError[],
): Promise<LeaseResult> {
  try {
    const answer = await askFor(store, asked);
    if (answer.outcome !== "granted") return { outcome: answer.outcome };
    // A renewal shows nothing but its end.
    const shown = "run" in answer ? answer.run : null;
    return {
      outcome: "granted",
      fence: shown?.fence ?? asked.fence ?? 0,
      lastSequence: shown?.lastSequence ?? 0,
    };
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    failures.push(error);
    // A renewal or a release that may have landed rejects as with any failure: see "Other calls in doubt" in `STORE.md`.
    return { outcome: asked.asks !== "claim" || error.ambiguous ? "unknown" : "failed" };
  }
}

/** The logs of runs, once all calls have ended. */
export async function readLogs(
  store: KitStore,
  runIds: readonly string[],
): Promise<History["logs"]> {
  const logs = new Map<string, readonly LoggedEvent[]>();
  for (const runId of runIds) {
    logs.set(runId, await readLoggedEvents(store, runId));
  }
  return logs;
}

/** The log of one run that has to be there. */
export async function readLoggedEvents(
  store: KitStore,
  runId: string,
): Promise<readonly LoggedEvent[]> {
  const { events } = await readLog(store, runId);
  let state: ReturnType<typeof foldEvent> = NO_EVENTS;
  return events.map(({ eventType, payload }) => {
    state = foldEvent(state, { eventType, payload });
    return {
      id: idOf({ payload }),
      runStatus: state.runStatus,
      startsPhase: eventType === "PHASE_STARTED",
    };
  });
}

function createCounter(): () => number {
  let count = 0;
  return () => (count += 1);
}

function begunAppend(
  request: AppendRequest,
  client: string,
  call: number,
  begunAt: number,
): AppendOperation {
  const { runId, idempotencyKey, expectedSequence, appender } = request;
  const fence = appender.by === "worker" ? appender.fence : null;
  const byOwner = appender.by === "owner" || appender.by === "input";
  const conditions = { idempotencyKey, expectedSequence, fence, byOwner };
  const ids = idsOf(request);
  const open = { begunAt, endedAt: null, result: { outcome: "unknown" } } as const;
  return { kind: "append", client, call, runId, ids, ...conditions, ...open };
}

function idsOf({ events }: AppendRequest): readonly [string, ...string[]] {
  const [first = "", ...others] = events.map(idOf);
  return [first, ...others];
}

function headOf(run: RunRecord) {
  const { lastSequence, runStatus } = run;
  return { lastSequence, runStatus, phaseId: phaseIdOf(run) };
}

/** What became of each request. A driver's failure shows whether they may have landed. @see clauses S7 and S20 in `STORE.md` */
async function appendTo(
  store: KitStore,
  requests: readonly AppendRequest[],
  failures: RunEventsError[],
): Promise<readonly AppendResult[]> {
  let outcomes: readonly AppendOutcome[];
  try {
    outcomes = await store.append(requests);
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    const outcome = error.ambiguous ? "unknown" : "failed";
    failures.push(error);
    return requests.map(() => ({ outcome }));
  }
  assertEqual(outcomes.length, requests.length, "the number of outcomes");
  return outcomes.map(resultOf);
}

function resultOf(outcome: AppendOutcome): AppendResult {
  switch (outcome.outcome) {
    case "appended":
    case "replayed": {
      const { firstSequence, lastSequence, runStatus } = outcome;
      const head = { runStatus, phaseId: phaseIdOf(outcome) };
      return { outcome: outcome.outcome, firstSequence, lastSequence, ...head };
    }
    case "finished":
    case "sequence_conflict":
      return outcome;
    case "idempotency_key_reused":
    case "not_found":
    case "fenced":
      return { outcome: outcome.outcome };
  }
}
