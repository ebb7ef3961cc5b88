import {
  type Head,
  nameKey,
  type Plain,
  type PlainLanding,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import type { DueKind } from "../../../core/src/rules/due.ts";
import type { KeptReceipt } from "../../../core/src/rules/judge-append.ts";
import { mapChanges } from "../mutants/inner-store.ts";
import type { RemoteEngine } from "./remote-engine.ts";

/** State that the processes of one store share in addition to it. */
export interface Shared {
  readonly engine: RemoteEngine;
  /** The time by which the clock of this process is ahead of the store's. */
  readonly aheadMs: number;
  /** Keeps a value in a slot. @returns whether the slot was free */
  keep(slot: string, value: unknown): Promise<boolean>;
  drop(slot: string): Promise<void>;
  kept(): Promise<ReadonlyMap<string, unknown>>;
}

/** The calls that the fault changes in one process's store. The process opens the store once a promise of them has resolved. */
export type ProcessFault = (
  store: RunEventStore,
  shared: Shared,
) => Partial<RunEventStore> | Promise<Partial<RunEventStore>>;

/** The slot that some mutants take as their lock. */
export const LOCK = "lock";
const SLOTS = "slot/";

export async function sharedBy(engine: RemoteEngine): Promise<Shared> {
  return {
    engine,
    aheadMs: Date.now() - (await engine.now()),
    keep(slot, value) {
      const key = `${SLOTS}${slot}`;
      return engine.commit([{ key, value: null }], [{ key, value: JSON.stringify(value) }]);
    },
    drop: async (slot) => void (await engine.commit([], [{ key: `${SLOTS}${slot}`, value: null }])),
    kept: () =>
      engine.read(async ({ scan }) => {
        const range = { from: SLOTS, to: `${SLOTS}~`, limit: 1_000, reverse: false };
        const entries = await scan(range);
        return new Map(
          entries.map(({ key, value }) => [key.slice(SLOTS.length), JSON.parse(value) as unknown]),
        );
      }),
  };
}

/** Whether a process lives. */
export function isAlive(pid: unknown): boolean {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
}

/** Appends one after the other. If one is not plain, the later ones of its run are undecided, too. */
export function appendEach(
  one: (plain: Plain) => Promise<PlainLanding | null>,
): Pick<RunEventStore, "append"> {
  return {
    async append(plains) {
      const undecided = new Set<string>();
      const landings: (PlainLanding | null)[] = [];
      for (const plain of plains) {
        const landing = undecided.has(nameKey(plain)) ? null : await one(plain);
        if (landing === null) undecided.add(nameKey(plain));
        landings.push(landing);
      }
      return landings;
    },
  };
}

/** The head without the key of the claim that got it its lease. */
export function withoutClaimKey(head: Head): Head {
  const { keptClaim: _, ...extra } = JSON.parse(head.extra) as Record<string, unknown>;
  return { ...head, extra: JSON.stringify(extra) };
}

/** The runs that there are now. */
export async function runsIn(store: RunEventStore): Promise<ReadonlyMap<string, Head>> {
  const kinds: readonly DueKind[] = ["leased", "queued", "running", "waiting", "finished"];
  const lists = await Promise.all(
    // A negative age also finds runs with long leases.
    kinds.map((due) => store.list({ due, forMs: -Number.MAX_SAFE_INTEGER / 2, limit: 1_000 })),
  );
  return new Map(lists.flat().map((head) => [nameKey(head), head]));
}

/** Hides receipts from decisions, so that a known key is taken for a new one. */
export function hideReceipts(
  store: RunEventStore,
  isHidden: (receipt: KeptReceipt, name: RunName, key: string) => boolean,
): Pick<RunEventStore, "change"> {
  const hidden = new Set<string>();
  return mapChanges(store, {
    see(seen, change) {
      const receipts = [...seen.receipts].filter(([key, receipt]) => {
        if (!isHidden(receipt, change, key)) return true;
        hidden.add(`${nameKey(change)} ${key}`);
        return false;
      });
      return { ...seen, receipts: new Map(receipts) };
    },
    // The store still has the hidden receipts, and would take the same key again for a conflict.
    commit: ({ receipts = [], ...decision }, _, change) => ({
      ...decision,
      receipts: receipts.filter((one) => !hidden.has(`${nameKey(change)} ${one.idempotencyKey}`)),
    }),
  });
}
