import type {
  AppendRequest,
  LeaseOutcome,
  LeaseRefusal,
  LiveStatus,
  RunRecord,
} from "@tm/run-events-core/store";
import type { KitStore } from "./kit-store.ts";
import { assert, assertEqual, assertKept } from "./assert.ts";
import { nextTurn } from "./next-turn.ts";
import { storeNow } from "./store-clock.ts";
import { within } from "./within.ts";

/** Longer than any case takes. */
export const LONG_MS = 3_600_000;
/** The shortest lease that there is: over as soon as the store's clock has moved. */
export const SHORT_MS = 1;
/** How late a store may list an ended lease. This bounds a hang, not speed. */
const LISTED_MS = 5_000;

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
  return granted(await store.claim({ runId, ownerId: null, leaseMs }), `the claim of ${runId}`);
}

/** Claims a run for the shortest time, and waits until that is over by the store's own word. */
export async function claimExpired(store: KitStore, runId: string): Promise<HeldRun> {
  const run = await claim(store, runId, SHORT_MS);
  await untilExpired(store, run);
  return run;
}

/**
 * Waits until the store lists a run, whose lease was given for the shortest time, among the expired ones.
 * @throws Error at once if the lease ends later than asked by the store's own clock: waiting would only take time
 */
export async function untilExpired(store: KitStore, held: HeldRun): Promise<void> {
  const { runId } = held;
  if (await isListed()) return;
  const overMs = held.leaseExpiresAtMs - SHORT_MS - (await storeNow(store));
  assertKept(
    "S21",
    overMs <= 0,
    `the lease of ${runId} ends ${SHORT_MS} ms after it was given, by the clock that the store gives its events: it ends ${overMs / 1_000} s later than asked`,
  );
  await within(0, poll(), `the lease of ${runId} to have expired`, LISTED_MS);

  async function isListed(): Promise<boolean> {
    return (await expiredRuns(store)).includes(runId);
  }

  async function poll(): Promise<void> {
    while (!(await isListed())) await nextTurn();
  }
}

/** Every run whose lease has expired. */
export function expiredRuns(store: KitStore, graceMs = 0): Promise<readonly string[]> {
  return store.listExpired({ graceMs, limit: 1_000 });
}

/** Every run of a status that no worker has worked on for some time. The kit's own run, which shows the time, may be among them. */
export function idleRuns(
  store: KitStore,
  runStatus: LiveStatus,
  idleForMs: number,
): Promise<readonly string[]> {
  return store.listIdle({ runStatus, idleForMs, limit: 1_000 });
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

/** The run of a release that has to be granted. */
export function freed(outcome: LeaseOutcome, what: string): RunRecord {
  assertEqual(outcome.outcome, "granted", `the outcome of ${what}`);
  return (outcome as Extract<LeaseOutcome, { readonly run: RunRecord }>).run;
}

/** What a claim of a held run is answered. */
export function heldUntil(leaseExpiresAtMs: number): LeaseRefusal {
  return { outcome: "claimed", leaseExpiresAtMs };
}

/** The condition of an append under a fence. */
export function under({ fence }: { readonly fence: number }): Pick<AppendRequest, "appender"> {
  return { appender: { by: "worker", fence } };
}

/** The condition of an append by the run's owner. */
export const BY_OWNER: Pick<AppendRequest, "appender"> = { appender: { by: "owner" } };

/** The condition of an append by a person who answers. */
export const BY_INPUT: Pick<AppendRequest, "appender"> = { appender: { by: "input" } };

/** The condition of an append by a reaper. */
export function byReaper(graceMs = 0): Pick<AppendRequest, "appender"> {
  return { appender: { by: "reaper", graceMs } };
}

/** The condition of an append by a sweeper. */
export function bySweeper(runStatus: LiveStatus, idleForMs = 0): Pick<AppendRequest, "appender"> {
  return { appender: { by: "sweeper", runStatus, idleForMs } };
}
