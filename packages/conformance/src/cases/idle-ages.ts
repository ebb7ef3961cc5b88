import type { LiveStatus } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { append, event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { BY_INPUT, bySweeper, claim, freed, idleRuns } from "../lease.ts";
import { createRun } from "../read-log.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";

const INPUT = [event("INPUT_RECEIVED", '"yes"')];
const ASK = [event("INPUT_REQUESTED")];
const END = [event("RUN_FAILED", '{"reason":"abandoned"}')];

/** What happens to a run before the gap and after it, and whether it then is idle since before the gap. */
interface Age {
  readonly runStatus: LiveStatus;
  readonly isOld: boolean;
  readonly before: (store: KitStore, runId: string) => Promise<unknown>;
  readonly after?: (store: KitStore, runId: string) => Promise<unknown>;
}

const nothing = async (): Promise<void> => {};
const start = (store: KitStore, runId: string): Promise<unknown> => land(store, runId, events(1));
const ask = (store: KitStore, runId: string): Promise<unknown> => land(store, runId, ASK);
const answer = (store: KitStore, runId: string): Promise<unknown> =>
  land(store, runId, INPUT, BY_INPUT);
const take = (store: KitStore, runId: string): Promise<unknown> => claim(store, runId);

/** Gives back what `take` has taken, or was given back before. */
async function giveBack(store: KitStore, runId: string): Promise<void> {
  const { fence = 0 } = (await store.getRun(runId)) ?? {};
  freed(await store.release({ runId, ownerId: null, fence }), "the release");
}

async function both(
  store: KitStore,
  runId: string,
  ...steps: readonly ((store: KitStore, runId: string) => Promise<unknown>)[]
): Promise<void> {
  for (const step of steps) await step(store, runId);
}

const AGES: Readonly<Record<string, Age>> = {
  queued: { runStatus: "queued", isOld: true, before: nothing },
  "queued-input": { runStatus: "queued", isOld: true, before: nothing, after: answer },
  "queued-released": { runStatus: "queued", isOld: true, before: take, after: giveBack },
  running: { runStatus: "running", isOld: true, before: start },
  "running-late": { runStatus: "running", isOld: false, before: start, after: start },
  "running-answered": { runStatus: "running", isOld: false, before: ask, after: answer },
  "running-released": {
    runStatus: "running",
    isOld: false,
    before: (store, runId) => both(store, runId, start, take),
    after: giveBack,
  },
  "running-twice": {
    runStatus: "running",
    isOld: true,
    before: (store, runId) => both(store, runId, start, take, giveBack),
    after: giveBack,
  },
  waiting: { runStatus: "waiting", isOld: true, before: ask },
  "waiting-late": { runStatus: "waiting", isOld: false, before: start, after: ask },
  "waiting-noted": { runStatus: "waiting", isOld: false, before: ask, after: start },
  "waiting-parked": {
    runStatus: "waiting",
    isOld: false,
    before: (store, runId) => both(store, runId, ask, take),
    after: giveBack,
  },
};

/**
 * Creates a run of each kind, lets a gap pass, and does what follows it. Then it looks twice for runs that are idle for as long as the gap:
 * at once it has to find exactly the old ones, and after a second gap all of them.
 * @returns whether the looks came in time; otherwise the gap was too short for this store
 * @throws Error if a store is wrong about a run
 */
export async function splitsAges(store: KitStore, gapMs: number): Promise<boolean> {
  const named = Object.entries(AGES).map(([name, age]) => ({ ...age, runId: `${name}-${gapMs}` }));
  for (const { runId, before } of named) {
    await createRun(store, runId);
    await before(store, runId);
  }
  await untilStoreTime(store, (await storeNow(store)) + gapMs);
  const youngMs = await storeNow(store);
  for (const { runId, after } of named) await after?.(store, runId);
  const runIds = new Set(named.map(({ runId }) => runId));
  const listed = await listedOf(store, runIds, gapMs);
  const swept: string[] = [];
  for (const { runId, runStatus, isOld } of named) {
    // The old ones are left for the second look.
    if (isOld) continue;
    const { outcome } = await append(store, runId, END, bySweeper(runStatus, gapMs));
    if (outcome !== "fenced") swept.push(runId);
  }
  const endMs = await storeNow(store);
  if (endMs - youngMs >= gapMs) return false;
  const old = named.filter(({ isOld }) => isOld).map(({ runId }) => runId);
  assertEqual(listed.toSorted(), old.toSorted(), `what has been idle for ${gapMs} ms`);
  assertEqual(swept, [], "what a sweeper has ended too early");
  await untilStoreTime(store, endMs + gapMs);
  const all = await listedOf(store, runIds, gapMs);
  assertEqual(all.toSorted(), [...runIds].toSorted(), "what is idle once the same time has passed");
  for (const { runId, runStatus } of named) {
    const { outcome } = await append(store, runId, END, bySweeper(runStatus, gapMs));
    assertEqual(outcome, "appended", `the outcome of the end of ${runId}`);
  }
  return true;
}

async function listedOf(
  store: KitStore,
  runIds: ReadonlySet<string>,
  idleForMs: number,
): Promise<readonly string[]> {
  const listed: string[] = [];
  for (const runStatus of ["queued", "running", "waiting"] as const) {
    listed.push(...(await idleRuns(store, runStatus, idleForMs)));
  }
  return listed.filter((runId) => runIds.has(runId));
}
