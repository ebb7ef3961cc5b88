import { dueAt, type RunRecord } from "@tm/run-events-core/store";
import type { AppendRequest, DueKind, LeaseOutcome, RenewOutcome } from "./core-calls.ts";
import type { KitStore } from "./kit-store.ts";
import { assert, assertEqual, assertKept } from "./assert.ts";
import { CLOCK, storeNow, untilStoreTime } from "./store-clock.ts";

/** Longer than any case takes. */
export const LONG_MS = 3_600_000;
/** The shortest lease that there is: over as soon as the store's clock has moved. */
export const SHORT_MS = 1;

/** A run as a worker has it. */
export interface HeldRun extends RunRecord {
  readonly leaseExpiresAtMs: number;
}

/** Claims a run that has to be free. */
export async function claim(
  store: KitStore,
  runId: string,
  leaseMs: number = LONG_MS,
): Promise<HeldRun> {
  return granted(await store.claim({ runId, leaseMs }), `the claim of ${runId}`);
}

/** Claims a run for the shortest time, and waits until that is over by the store's own word. */
export async function claimExpired(store: KitStore, runId: string): Promise<HeldRun> {
  const run = await claim(store, runId, SHORT_MS);
  await untilExpired(store, run);
  return run;
}

/**
 * Waits until a lease that was given for the shortest time is over by the store's own clock.
 * @throws Error at once if the lease ends later than asked by the store's own clock: waiting would only take time
 */
export async function untilExpired(
  store: KitStore,
  { runId, leaseExpiresAtMs }: Pick<HeldRun, "runId" | "leaseExpiresAtMs">,
): Promise<void> {
  const overMs = leaseExpiresAtMs - SHORT_MS - (await storeNow(store));
  assertKept(
    "S21",
    overMs <= 0,
    `the lease of ${runId} ends ${SHORT_MS} ms after it was given, by the clock that the store gives its events: it ends ${overMs / 1_000} s later than asked`,
  );
  await untilStoreTime(store, leaseExpiresAtMs);
}

/** Every run that has waited for something for some time, the longest first. The kit's own run, which shows the time, is left out. */
export async function dueRuns(
  store: KitStore,
  due: DueKind,
  forMs = 0,
): Promise<readonly string[]> {
  const nowMs = await storeNow(store);
  const runs = await store.listDue({ due, forMs, limit: 1_000 });
  const laterMs = await storeNow(store);
  for (const { runId, dueMs } of runs) {
    const isOld = dueMs + forMs <= laterMs;
    assertKept("S23", isOld, `the entry of ${runId} is at least ${forMs} ms old when it is listed`);
  }
  // An entry of the index may be earlier than its run is due.
  return runs
    .filter((run) => run.ownerId !== CLOCK && dueAt(run) + forMs <= nowMs)
    .map(({ runId }) => runId);
}

/** The run of a claim or a renewal that has to be granted. */
export function granted(outcome: LeaseOutcome, what: string): HeldRun {
  const run = freed(outcome, what);
  const { leaseExpiresAtMs } = run;
  assert(
    leaseExpiresAtMs !== null && Number.isSafeInteger(leaseExpiresAtMs),
    `${what} shows when the lease expires, got ${leaseExpiresAtMs}`,
  );
  return { ...run, leaseExpiresAtMs };
}

/** The end of a lease whose renewal has to be granted. */
export function renewed(outcome: RenewOutcome, what: string): number {
  assertEqual(outcome.outcome, "granted", `the outcome of ${what}`);
  const { leaseExpiresAtMs } = outcome as Partial<HeldRun>;
  assert(
    Number.isSafeInteger(leaseExpiresAtMs),
    `${what} shows when the lease expires, got ${leaseExpiresAtMs}`,
  );
  return Number(leaseExpiresAtMs);
}

/** The run of a release that has to be granted. */
export function freed(outcome: LeaseOutcome, what: string): RunRecord {
  assertEqual(outcome.outcome, "granted", `the outcome of ${what}`);
  return (outcome as Extract<LeaseOutcome, { readonly run: RunRecord }>).run;
}

/** The condition of an append under a fence. */
export function under({ fence }: { readonly fence: number }): Pick<AppendRequest, "appender"> {
  return { appender: { by: "worker", fence } };
}

/** The condition of an append by the run's owner. */
export const BY_OWNER: Pick<AppendRequest, "appender"> = { appender: { by: "owner" } };

/** The condition of an append by a person who answers. */
export const BY_INPUT: Pick<AppendRequest, "appender"> = { appender: { by: "input" } };

/** Purges as a worker of the kit does. @returns the ids of the runs that are gone */
export async function purgedIds(
  store: KitStore,
  request: Parameters<KitStore["purge"]>[0],
): Promise<readonly string[]> {
  return (await store.purge(request)).map(({ runId }) => runId);
}
