import type { StoreDoors } from "@tm/run-events-conformance";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { AppendRequest, ListQuery, RunEventStore } from "@tm/run-events-core/store";
import { sharedMemoryDoors } from "./shared-memory.ts";

/** What a store beneath which the kit can look does wrong. */
export interface BeneathBreakage {
  /** Keeps the events of runs that are deleted or purged. */
  readonly keeps?: "deleted" | "purged";
  /** How many rows or statements more a call takes. */
  readonly wastes?: (call: string, size: { runs: number; events: number }) => Partial<Waste>;
  /** Takes an append for a new one whose receipt is lost. */
  readonly forgetsReceipts?: true;
  /** Says that it could write although it cannot. */
  readonly probesNothing?: true;
  /** Says that it has appended what it could not write. */
  readonly writesNothing?: true;
  /** Never writes again after it could not write for a while. */
  readonly staysFull?: true;
}

interface Waste {
  readonly rows: number;
  readonly statements: number;
}

interface Beneath {
  readonly rows: Map<string, { events: number; keys: number }>;
  readonly lost: Set<string>;
  readonly cost: { statements: number; rows: number };
  isFull: boolean;
}

/** What the kit looks at, and the store on it. */
interface BeneathPlace {
  readonly own: Beneath;
  readonly data: RunEventStore;
}

type BeneathStoreDoors = Required<
  Pick<
    StoreDoors<BeneathPlace>,
    "prepare" | "open" | "leftovers" | "cost" | "loseReceipts" | "refuseWrites"
  >
>;

const FULL = (): RunEventsError =>
  new RunEventsError("store_unavailable", "Nothing can be written.", { cause: new Error("full") });

/** Doors to a store in memory that counts what it keeps and what it looks at. Its data is in the place. */
export function beneathDoors(breakage: BeneathBreakage = {}): BeneathStoreDoors {
  const { open } = sharedMemoryDoors();
  return {
    prepare() {
      const own = {
        rows: new Map(),
        lost: new Set<string>(),
        cost: { statements: 0, rows: 0 },
        isFull: false,
      };
      return { own, data: countCalls(own, breakage) };
    },
    open({ data }) {
      const store = open(data);
      // All objects would be full at once.
      return { ...store, capabilities: { ...store.capabilities, shared: false } };
    },
    leftovers({ own }) {
      const all = [...own.rows.values()];
      const sum = (kind: "events" | "keys"): number => all.reduce((n, one) => n + one[kind], 0);
      return { runs: all.length, events: sum("events"), keys: sum("keys") };
    },
    cost: ({ own }) => ({ ...own.cost }),
    loseReceipts: ({ own }, runId) => void own.lost.add(runId),
    refuseWrites({ own }) {
      own.isFull = true;
      return () => {
        own.isFull = breakage.staysFull === true;
      };
    },
  };
}

/** The data of a place: every call is counted, and refused where it needs space. */
function countCalls(own: Beneath, breakage: BeneathBreakage): RunEventStore {
  const memory = createMemoryStore();

  function count(call: string, rows = 1): void {
    const events = [...own.rows.values()].reduce((sum, one) => sum + one.events, 0);
    const wasted = breakage.wastes?.(call, { runs: own.rows.size, events }) ?? {};
    own.cost.statements += 1 + (wasted.statements ?? 0);
    own.cost.rows += rows + (wasted.rows ?? 0);
  }

  return {
    ...memory,
    ...countedReads(memory, count),
    ...countedWrites(memory, count, own, breakage),
    async claim(request) {
      count("claim");
      requireSpace(own);
      return memory.claim(request);
    },
    async renew(request) {
      requireSpace(own);
      return memory.renew(request);
    },
    async release(request) {
      requireSpace(own);
      return memory.release(request);
    },
    async probe() {
      const nowMs = await memory.probe();
      if (own.isFull && breakage.probesNothing !== true) throw FULL();
      return nowMs;
    },
  };
}

type Count = (call: string, rows?: number) => void;

function requireSpace(own: Beneath): void {
  if (own.isFull) throw FULL();
}

function countedReads(
  memory: RunEventStore,
  count: Count,
): Pick<RunEventStore, "read" | "getRun" | "listRuns" | "listExpired" | "listIdle"> {
  return {
    async read(queries) {
      const pages = await memory.read(queries);
      count("read", 1 + (pages[0]?.events.length ?? 0));
      return pages;
    },
    getRun(runId) {
      count("getRun");
      return memory.getRun(runId);
    },
    async listRuns(query) {
      const runs = await memory.listRuns(query);
      count(nameOf(query), runs.length);
      return runs;
    },
    async listExpired(query) {
      const runIds = await memory.listExpired(query);
      count("listExpired", runIds.length);
      return runIds;
    },
    async listIdle(query) {
      const runIds = await memory.listIdle(query);
      count("listIdle", runIds.length);
      return runIds;
    },
  };
}

/** What a list asks for, as a mutant names it. */
function nameOf({ runStatus, topic = null }: ListQuery): string {
  if (runStatus === "live") return "listLive";
  return topic === null ? "listRuns" : "listTopic";
}

function countedWrites(
  memory: RunEventStore,
  count: Count,
  own: Beneath,
  breakage: BeneathBreakage,
): Pick<RunEventStore, "createRun" | "append" | "deleteRun" | "purge"> {
  function forget(runId: string, how: "deleted" | "purged"): void {
    if (breakage.keeps !== how) own.rows.delete(runId);
  }

  async function appendOne(request: AppendRequest) {
    const { runId, idempotencyKey } = request;
    const isLost = own.lost.has(runId);
    if (isLost && breakage.forgetsReceipts !== true) {
      throw new RunEventsError("store_unavailable", "The receipts of the run are lost.");
    }
    const sent = isLost ? { ...request, idempotencyKey: null } : request;
    const [outcome] = await memory.append([sent]);
    const kept = own.rows.get(runId);
    if (outcome?.outcome === "appended" && kept !== undefined) {
      kept.events += request.events.length;
      if (idempotencyKey !== null) kept.keys += 1;
    }
    return outcome ?? ({ outcome: "not_found" } as const);
  }

  return {
    async createRun(request) {
      count("createRun");
      requireSpace(own);
      const created = await memory.createRun(request);
      if (created.outcome === "created") own.rows.set(request.runId, { events: 0, keys: 0 });
      return created;
    },
    async append(requests) {
      count("append");
      if (own.isFull && breakage.writesNothing !== true) throw FULL();
      const outcomes = [];
      for (const request of requests) outcomes.push(await appendOne(request));
      return outcomes;
    },
    async deleteRun(runId, ownerId) {
      requireSpace(own);
      const outcome = await memory.deleteRun(runId, ownerId);
      if (outcome === "deleted") forget(runId, "deleted");
      return outcome;
    },
    async purge(request) {
      requireSpace(own);
      const runIds = await memory.purge(request);
      count("purge", runIds.length);
      for (const runId of runIds) forget(runId, "purged");
      return runIds;
    },
  };
}
