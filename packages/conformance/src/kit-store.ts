import {
  createRunCalls,
  type DueQuery,
  type OwnerQuery,
  recordOf,
  type RunEventStore,
  type RunName,
  runOf,
  type RunRecord,
  type StoredEvent,
  type Subject,
} from "@tm/run-events-core/store";
import { holdingClock } from "@tm/run-events-core/wire";
import type {
  AppendOutcome,
  AppendRequest,
  ClaimRequest,
  CreateOutcome,
  DueLimit,
  DueOutcome,
  LeaseOutcome,
  NewRunRequest,
  ReleaseRequest,
  RemovalOutcome,
  RenewOutcome,
  RenewRequest,
  Run,
  Subscription,
} from "./core-calls.ts";

/** The owner of a case's runs, unless it is about owners. */
export const OWNER = "ada";

/** A request about `OWNER`'s run, unless it names another owner. */
type Owned<Request extends RunName> = Omit<Request, "ownerId"> & {
  readonly ownerId?: string | undefined;
};

/** A request for a run's events, of `OWNER`'s run unless it names another. */
export interface KitQuery {
  readonly runId: string;
  readonly ownerId?: string | undefined;
  readonly since: number;
  readonly limit: number;
  readonly maxBytes: number;
}

/** A request for an owner's runs: of all topics, unless it names one. */
type KitListQuery = Omit<OwnerQuery, "topic"> & { readonly topic?: string | null };

/** A run's record and its events after `since`. */
export interface KitPage {
  readonly run: RunRecord;
  readonly events: readonly StoredEvent[];
}

/**
 * A store as the kit's cases call it: with core's rules in front of the contract, and their outcomes as values. A call that takes only an id
 * is about `OWNER`'s run.
 */
export interface KitStore {
  /** The store beneath. */
  readonly inner: RunEventStore;
  readonly capabilities: RunEventStore["capabilities"];
  createRun(request: NewRunRequest): Promise<CreateOutcome>;
  /** Rejects with the first failure once all have settled: one that is still under way could land later. */
  append(requests: readonly Owned<AppendRequest>[]): Promise<readonly AppendOutcome[]>;
  read(queries: readonly KitQuery[]): Promise<readonly (KitPage | null)[]>;
  getRun(runId: string, ownerId?: string): Promise<RunRecord | null>;
  listRuns(query: KitListQuery): Promise<readonly RunRecord[]>;
  /** Without metadata, which no index has. */
  listDue(query: DueQuery): Promise<readonly Run[]>;
  deleteRun(runId: string, ownerId?: string): Promise<RemovalOutcome>;
  claim(request: Owned<ClaimRequest>): Promise<LeaseOutcome>;
  renew(request: Owned<RenewRequest>): Promise<RenewOutcome>;
  release(request: Owned<ReleaseRequest>): Promise<LeaseOutcome>;
  endDue(name: Owned<RunName>, limit: DueLimit): Promise<DueOutcome>;
  purge(request: {
    readonly finishedForMs: number;
    readonly limit: number;
  }): Promise<readonly RunName[]>;
  probe(): Promise<number>;
  subscribe(
    subject: string | Subject,
    onNotification: Parameters<RunEventStore["subscribe"]>[1],
  ): Subscription;
  observe?: NonNullable<RunEventStore["observe"]>;
  close(): Promise<void>;
}

/** A clock on which the 10 s for which core sends a call in doubt again are over in half a second. */
export const HASTY: typeof holdingClock = {
  now: () => holdingClock.now() * 20,
  every: (periodMs, task) => holdingClock.every(periodMs / 20, task),
};

/** Puts core's rules in front of a store. */
export function kitStore(
  store: RunEventStore,
  clock: typeof holdingClock = holdingClock,
): KitStore {
  const times = { clock, isClosing: () => false, report: null };
  const calls = createRunCalls(store, times);
  return {
    inner: store,
    get capabilities() {
      return store.capabilities;
    },
    createRun: (request) => calls.create(request),
    async append(requests) {
      const appends = requests.map((request) => calls.append(owned(request)));
      await Promise.allSettled(appends);
      return Promise.all(appends);
    },
    async read(queries) {
      const pages = await store.read(
        queries.map((query) => ({ ...owned(query), wantsMetadata: true })),
      );
      return pages.map((page) =>
        page === null ? null : { run: recordOf(runOf(page.head)), events: page.events },
      );
    },
    getRun: (runId, ownerId = OWNER) => calls.get({ ownerId, runId }),
    listRuns: (query) => calls.list({ topic: null, ...query }),
    listDue: async (query) => (await store.list(query)).map(runOf),
    deleteRun: (runId, ownerId = OWNER) => calls.remove({ ownerId, runId }),
    claim: (request) => calls.claim(owned(request)),
    renew: (request) => calls.renew(owned(request)),
    release: (request) => calls.release(owned(request)),
    endDue: (name, limit) => calls.end(owned(name), limit),
    purge: ({ finishedForMs, limit }) => calls.purge(finishedForMs, limit),
    probe: () => store.probe(),
    subscribe: (subject, onNotification) =>
      store.subscribe(
        typeof subject === "string" ? { ownerId: OWNER, runId: subject } : subject,
        onNotification,
      ),
    ...(store.observe === undefined ? {} : { observe: (report) => store.observe?.(report) }),
    close: () => store.close(),
  };
}

function owned<Request extends { readonly ownerId?: string | undefined }>(
  request: Request,
): Request & { readonly ownerId: string } {
  return { ...request, ownerId: request.ownerId ?? OWNER };
}
