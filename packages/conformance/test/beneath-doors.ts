import type { StoreDoors } from "@tm/run-events-conformance";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import {
  type DueQuery,
  nameKey,
  type OwnerQuery,
  type Plain,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import { mapChanges } from "./mutants/inner-store.ts";
import { sharedMemoryDoors } from "./shared-memory.ts";

/** The faults of a store beneath which the kit can look. */
export interface BeneathBreakage {
  /** Keeps the events of runs that are removed. */
  readonly keepsRemoved?: true;
  /** The excess rows and statements of a call, by the name that `nameOf` gives to a list. */
  readonly wastes?: (call: string, size: { runs: number; events: number }) => Partial<Waste>;
  /** Takes an append for a new one whose receipt is lost. */
  readonly forgetsReceipts?: true;
  /** Takes an append under a key that is a day old for a new one. */
  readonly forgetsKeysInTime?: true;
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
  /** By the names of the runs. */
  readonly rows: Map<string, { events: number; keys: number }>;
  /** The ids of the runs whose receipts are lost. */
  readonly lost: Set<string>;
  readonly cost: { statements: number; rows: number };
  isFull: boolean;
  /** The number of hours that have passed for the store. */
  hours: number;
}

/** The data at which the kit looks, and the store on it. */
interface BeneathPlace {
  readonly own: Beneath;
  readonly data: RunEventStore;
}

type BeneathStoreDoors = Required<
  Pick<
    StoreDoors<BeneathPlace>,
    "prepare" | "open" | "leftovers" | "cost" | "loseReceipts" | "letHoursPass" | "refuseWrites"
  >
>;

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
        hours: 0,
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
    letHoursPass: ({ own }, hours) => void (own.hours += hours),
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
  const memory = createMemoryStore({ now: () => Date.now() + own.hours * 3_600_000 });

  function count(call: string, rows = 1): void {
    const events = [...own.rows.values()].reduce((sum, one) => sum + one.events, 0);
    const wasted = breakage.wastes?.(call, { runs: own.rows.size, events }) ?? {};
    own.cost.statements += 1 + (wasted.statements ?? 0);
    own.cost.rows += rows + (wasted.rows ?? 0);
  }

  function requireSpace(isBroken: true | undefined): void {
    if (!own.isFull || isBroken) return;
    throw new RunEventsError("store_unavailable", "Nothing can be written.", {
      cause: new Error("full"),
    });
  }

  /** Whether a known key is taken for a new one. @throws RunEventsError for a key of a run whose receipts are lost */
  function forgets({ runId }: RunName, keys: readonly string[] = []): boolean {
    if (keys.length > 0 && breakage.forgetsKeysInTime && own.hours > 24) return true;
    if (!own.lost.has(runId) || keys.length === 0) return false;
    if (breakage.forgetsReceipts) return true;
    throw new RunEventsError("store_unavailable", "The receipts of the run are lost.");
  }

  function keep(name: RunName, events = 0, keys = 0): void {
    const kept = own.rows.get(nameKey(name)) ?? { events: 0, keys: 0 };
    own.rows.set(nameKey(name), { events: kept.events + events, keys: kept.keys + keys });
  }

  const { change } = mapChanges(memory, {
    see: (seen, { keys, ...name }) =>
      forgets(name, keys) ? { ...seen, receipts: new Map() } : seen,
    commit(decision, _, name) {
      requireSpace(undefined);
      const { after, events, receipts } = decision;
      if (after !== null) keep(name, events?.length, receipts?.length);
      else if (!breakage.keepsRemoved) own.rows.delete(nameKey(name));
      return decision;
    },
  });
  return {
    ...memory,
    async read(queries) {
      const pages = await memory.read(queries);
      count("read", 1 + (pages[0]?.events.length ?? 0));
      return pages;
    },
    async list(query) {
      const heads = await memory.list(query);
      count(nameOf(query), heads.length);
      return heads;
    },
    async append(plains) {
      count("append");
      requireSpace(breakage.writesNothing);
      const keysOf = ({ idempotencyKey }: Plain): string[] =>
        idempotencyKey === null ? [] : [idempotencyKey];
      const landings = await memory.append(
        plains.map((one) => (forgets(one, keysOf(one)) ? { ...one, idempotencyKey: null } : one)),
      );
      plains.forEach((plain, at) => {
        if (landings[at]) keep(plain, plain.events.length, keysOf(plain).length);
      });
      return landings;
    },
    change(changes) {
      count("change");
      return change(changes);
    },
    async probe() {
      const nowMs = await memory.probe();
      requireSpace(breakage.probesNothing);
      return nowMs;
    },
  };
}

/** The name of a list: what its runs wait for, or which of an owner's runs it has. */
function nameOf(query: OwnerQuery | DueQuery): string {
  if ("due" in query) return query.due;
  if (query.runStatus === "live") return "live";
  return query.topic === null ? "all" : "topic";
}
