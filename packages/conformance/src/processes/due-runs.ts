import { isTerminal } from "@tm/run-events-core";
import type { KitStore } from "../kit-store.ts";
import { assertEqual, assertKept, inClause, isSame } from "../assert.ts";
import type { RecordedClient } from "../history/recorder.ts";
import { dueRuns, LONG_MS } from "../lease.ts";
import { nextTurn } from "../next-turn.ts";
import { requireLease } from "./starting-calls.ts";
import { endRun, LIVE } from "./upkeep-calls.ts";
import type { DueRuns } from "./worker-commands.ts";

/** How late a store may list a run. This bounds a hang, not speed. */
const LISTED_MS = 5_000;

/** The runs that the upkeep finds: those whose lease is over, and those without one by their status. Sorted. */
type Lists = Readonly<Record<"expired" | (typeof LIVE)[number], readonly string[]>>;

/**
 * Waits until the upkeep would find exactly those runs that no worker has, while no process does anything about them: among the expired
 * ones from the end of their lease on, among the idle ones from its release on.
 * @throws BrokenClause if a run is missing or in a wrong list, or has lost its lease
 */
export async function checkDue(store: KitStore, due: DueRuns): Promise<void> {
  const giveUpAt = performance.now() + LISTED_MS;
  for (;;) {
    const lists = await listsOf(store);
    // A call of a dead process may still land: so they are compared with what is there after they were read.
    const expected = await expectedOf(store, due);
    if (isSame(lists, expected)) return;
    if (performance.now() > giveUpAt) failOnFirst(lists, expected);
    await nextTurn();
  }
}

/**
 * Ends all runs that no worker has, while no other process does: claims those whose lease is over and gives them back, and sweeps those
 * that are idle then.
 * @param name the prefix of the names of its events
 * @throws BrokenClause if a run that is idle cannot be ended
 */
export async function endDue(client: RecordedClient, store: KitStore, name: string): Promise<void> {
  for (const runId of await dueRuns(store, "leased")) {
    const fence = await client.lease(runId, "claim", null, LONG_MS);
    assertKept("S23", fence !== null, `${runId} can be claimed, since its lease is over`);
    await client.lease(runId, "release", fence, 0);
  }
  for (const runStatus of LIVE) {
    for (const runId of await dueRuns(store, runStatus)) {
      const isEnded = await endRun(client, runId, `${name}.${runId}`);
      assertKept("S23", isEnded, `${runId}, which is listed as idle and ${runStatus}, is ended`);
    }
  }
}

/** @throws BrokenClause with the first run that is in other lists than expected */
function failOnFirst(lists: Lists, expected: Lists): void {
  for (const runId of new Set([...Object.values(expected), ...Object.values(lists)].flat())) {
    inClause("S23", () =>
      assertEqual(listsWith(lists, runId), listsWith(expected, runId), `the lists with ${runId}`),
    );
  }
}

function listsWith(lists: Lists, runId: string): readonly string[] {
  return Object.entries(lists).flatMap(([name, runIds]) => (runIds.includes(runId) ? [name] : []));
}

async function listsOf(store: KitStore): Promise<Lists> {
  return {
    expired: (await dueRuns(store, "leased")).toSorted(),
    queued: (await dueRuns(store, "queued")).toSorted(),
    running: (await dueRuns(store, "running")).toSorted(),
    waiting: (await dueRuns(store, "waiting")).toSorted(),
  };
}

async function expectedOf(store: KitStore, { runIds, kept, heldOnce }: DueRuns): Promise<Lists> {
  const lists = {
    expired: [] as string[],
    queued: [] as string[],
    running: [] as string[],
    waiting: [] as string[],
  };
  for (const runId of runIds.toSorted()) {
    const run = await store.getRun(runId);
    if (run === null || isTerminal(run.runStatus)) continue;
    if (heldOnce.includes(runId)) requireLease(run);
    if (run.leaseExpiresAtMs === null) lists[run.runStatus].push(runId);
    else if (!kept.includes(runId)) lists.expired.push(runId);
  }
  return lists;
}
