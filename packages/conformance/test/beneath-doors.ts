import type { StoreDoors } from "@tm/run-events-conformance";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import {
  type Change,
  type DueQuery,
  nameKey,
  type OwnerQuery,
  type Plain,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import { sharedMemoryDoors } from "./shared-memory.ts";
import { changeAndTell, type WrittenRun } from "./written-runs.ts";

/** What a store beneath which the kit can look does wrong. */
export interface BeneathBreakage {
  /** Keeps the events of runs that are removed. */
  readonly keepsRemoved?: true;
  /** How many rows or statements more a call takes, by the name that `nameOf` gives to a list. */
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
  /** By the names of the runs. */
  readonly rows: Map<string, { events: number; keys: number }>;
  /** The ids of the runs whose receipts are lost. */
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
      if (own.isFull && breakage.writesNothing !== true) throw FULL();
      const landings = await memory.append(plains.map((one) => plainOf(own, breakage, one)));
      plains.forEach((plain, at) => {
        if ((landings[at] ?? null) !== null) keepPlain(own, plain);
      });
      return landings;
    },
    async change(changes) {
      count("change");
      const seen = changes.map((change) => unlessFull(own, withoutLost(own, breakage, change)));
      const { answers, written } = await changeAndTell(memory, seen);
      for (const one of written) keep(own, breakage, one);
      return answers;
    },
    async probe() {
      const nowMs = await memory.probe();
      if (own.isFull && breakage.probesNothing !== true) throw FULL();
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

/** @throws RunEventsError for a key of a run whose receipts are lost */
function requireReceipts(
  own: Beneath,
  { runId }: RunName,
  { forgetsReceipts }: BeneathBreakage,
): void {
  if (!own.lost.has(runId) || forgetsReceipts === true) return;
  throw new RunEventsError("store_unavailable", "The receipts of the run are lost.");
}

/** The append as it is made if the receipts of its run are lost. */
function plainOf(own: Beneath, breakage: BeneathBreakage, plain: Plain): Plain {
  if (!own.lost.has(plain.runId) || plain.idempotencyKey === null) return plain;
  requireReceipts(own, plain, breakage);
  return { ...plain, idempotencyKey: null };
}

/** Notes what a plain append has written. */
function keepPlain(own: Beneath, plain: Plain): void {
  const kept = own.rows.get(nameKey(plain));
  if (kept === undefined) return;
  kept.events += plain.events.length;
  if (plain.idempotencyKey !== null) kept.keys += 1;
}

/** The change as it is decided if the receipts of its run are lost. */
function withoutLost<Answer>(
  own: Beneath,
  breakage: BeneathBreakage,
  change: Change<Answer>,
): Change<Answer> {
  if (!own.lost.has(change.runId) || (change.keys ?? []).length === 0) return change;
  requireReceipts(own, change, breakage);
  return { ...change, decide: (seen) => change.decide({ ...seen, receipts: new Map() }) };
}

/** The change, which fails with what it decides while nothing can be written. */
function unlessFull<Answer>(own: Beneath, change: Change<Answer>): Change<Answer> {
  return {
    ...change,
    decide(seen) {
      const decision = change.decide(seen);
      if (own.isFull && decision.after !== undefined) throw FULL();
      return decision;
    },
  };
}

/** Notes what a change has written. */
function keep(own: Beneath, { keepsRemoved }: BeneathBreakage, written: WrittenRun): void {
  const name = nameKey(written);
  const { after, events = [], receipts = [] } = written;
  if (after === null) {
    if (keepsRemoved !== true) own.rows.delete(name);
    return;
  }
  const kept = own.rows.get(name) ?? { events: 0, keys: 0 };
  kept.events += events.length;
  kept.keys += receipts.length;
  own.rows.set(name, kept);
}
