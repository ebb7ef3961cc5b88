import { isTerminal } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import { BrokenClause, isSame, show } from "../assert.ts";
import type { KitStore } from "../kit-store.ts";
import { dueRuns, LONG_MS } from "../lease.ts";
import { nextTurn } from "../next-turn.ts";
import { RUN_IDS } from "../races/race.ts";
import { storeNow } from "../store-clock.ts";

/** The greatest delay with which a store may list a run, once a brief lease is over. This bounds a hang, not speed. */
const LISTED_MS = 5_000;
const KINDS = ["leased", "queued", "running", "waiting", "finished"] as const;

/** The lists in which each run is. */
type Lists = Readonly<Record<string, readonly string[]>>;

/**
 * Waits until each run is in the list of the one thing that it waits for, while no process does anything about it: once its lease is over
 * among the leased ones, unless the lease is a long one.
 * @throws BrokenClause if it is not
 */
export async function checkDue(store: KitStore): Promise<void> {
  const giveUpAt = performance.now() + LISTED_MS;
  for (;;) {
    const lists = await listsOf(store);
    // A call of a dead process may still land. So the lists are compared with what is there after they were read.
    const expected = await expectedOf(store);
    if (isSame(lists, expected)) return;
    if (performance.now() > giveUpAt) {
      const why = `Expected the lists with each run to be ${show(expected)}, got ${show(lists)}.`;
      throw new BrokenClause("S23", why);
    }
    await nextTurn();
  }
}

async function listsOf(store: KitStore): Promise<Lists> {
  const lists = new Map<string, string[]>(RUN_IDS.map((runId) => [runId, []]));
  for (const kind of KINDS) {
    for (const runId of await dueRuns(store, kind)) lists.get(runId)?.push(kind);
  }
  return Object.fromEntries(lists);
}

async function expectedOf(store: KitStore): Promise<Lists> {
  const nowMs = await storeNow(store);
  const lists: Record<string, readonly string[]> = {};
  for (const runId of RUN_IDS) {
    const run = await store.getRun(runId);
    const isLong = (run?.leaseExpiresAtMs ?? 0) > nowMs + LONG_MS / 2;
    lists[runId] = run === null || isLong ? [] : [kindOf(run)];
  }
  return lists;
}

function kindOf({ runStatus, leaseExpiresAtMs }: RunRecord): string {
  if (isTerminal(runStatus)) return "finished";
  return leaseExpiresAtMs === null ? runStatus : "leased";
}
