import { append, event, events, land } from "../append-request.ts";
import { assert } from "../assert.ts";
import { claim, claimExpired, dueRuns, LONG_MS } from "../lease.ts";
import { createRun, readRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { Cost } from "../doors.ts";
import type { Trial, TrialCase } from "../trial.ts";

const KEYED = { idempotencyKey: "key" } as const;
const SHORT_LOG = 20;
const LONG_LOG = 2_000;
const BATCH = 500;
const FEW_RUNS = 5;
const MANY_RUNS = 150;
const TIMES = 3;
/** A topic with few live runs, the oldest of all. */
const RARE = "rare";
/** A large store may need this many more reads than a small one, since its index has one more level. */
const SLACK_ROWS = 10;

type Calls = Readonly<Record<string, (store: KitStore, head: number) => Promise<unknown>>>;

/** Calls about one run, at its head, which a live run makes all the time. */
const OF_A_RUN: Calls = {
  getRun: (store) => store.getRun("run"),
  "read of the last events": (store, head) => readRun(store, "run", { since: head - 5 }),
  "read at the head": (store, head) => readRun(store, "run", { since: head }),
  "read of a first page": (store) => readRun(store, "run", { since: 0, limit: 5 }),
  append: (store) => land(store, "run", events(1)),
  "append under a known key": (store) => append(store, "run", events(1), KEYED),
  "claim and release": async (store) => {
    const { fence } = await claim(store, "run");
    await store.release({ runId: "run", fence });
  },
};

/** Calls about all runs, which upkeep and a page of the list make. */
const OF_ALL_RUNS: Calls = {
  "listDue of expired leases": (store) => dueRuns(store, "leased"),
  purge: (store) => store.purge({ finishedForMs: 0, limit: 10 }),
  "listRuns of a page": (store) =>
    store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 5 }),
  getRun: (store) => store.getRun("expired"),
  // No worker works on these, and none of them is due.
  "listDue of queued runs": (store) => dueRuns(store, "queued", LONG_MS),
};

/** Calls about a topic and its live runs, which a page about one chat makes. */
const OF_TOPICS: Calls = Object.fromEntries(
  Object.entries({
    "listRuns of a topic": { topic: RARE, runStatus: null },
    "listRuns of a topic by status": { topic: RARE, runStatus: "queued" },
    "listRuns of a topic's live runs": { topic: RARE, runStatus: "live" },
    "listRuns of live runs": { topic: null, runStatus: "live" },
  } as const).map(([name, which]) => [
    name,
    (store) => store.listRuns({ ownerId: OWNER, before: null, limit: 5, ...which }),
  ]),
);

/** Cases of S12 in `STORE.md`: the cost of a call does not grow with data that it does not return. */
export const costs: readonly TrialCase[] = [
  costCase("of a call about a run", "its log", OF_A_RUN, [SHORT_LOG, LONG_LOG], fillLog),
  costCase(
    "of a list of due runs, and of a purge,",
    "the runs that are not due",
    OF_ALL_RUNS,
    [FEW_RUNS, MANY_RUNS],
    fillStore,
  ),
  costCase(
    "of a topic's list",
    "the owner's other runs and other topics",
    OF_TOPICS,
    [FEW_RUNS, MANY_RUNS],
    fillTopics,
  ),
];

function costCase(
  what: string,
  grown: string,
  calls: Calls,
  [few, many]: readonly [number, number],
  fill: (store: KitStore, count: number) => Promise<void>,
): TrialCase {
  return {
    name: `S12 the cost ${what} does not grow with ${grown}`,
    needs: "cost",
    async run(trial) {
      await fill(trial.store, few);
      const small = await costsOf(trial, calls, few);
      await trial.withFreshStore(async (large) => {
        await fill(large.store, many);
        const costly = await costsOf(large, calls, many);
        for (const [name, before] of small) checkGrowth(name, before, costly.get(name) ?? before);
      });
    },
  };
}

/** @throws Error if a call costs more in a large store than in a small one */
function checkGrowth(name: string, small: Cost, large: Cost): void {
  const isAsFew = large.statements <= small.statements;
  const { statements } = large;
  assert(isAsFew, `${name} sends ${small.statements} statements at any size, got ${statements}`);
  if (small.rows === undefined || large.rows === undefined) return;
  const most = 2 * small.rows + SLACK_ROWS;
  assert(large.rows <= most, `${name} reads ${most} rows at the most, got ${large.rows}`);
}

/**
 * The least cost of each call. The call is made once before, since its preparation is not part of its cost. Then it is made three times,
 * since the store's background work may fall into one of them.
 */
async function costsOf(
  { store, beneath }: Trial,
  calls: Calls,
  head: number,
): Promise<ReadonlyMap<string, Cost>> {
  const found = new Map<string, Cost>();
  for (const [name, call] of Object.entries(calls)) {
    await call(store, head);
    const costs: Cost[] = [];
    for (let time = 0; time < TIMES; time++) {
      const before = await beneath.cost();
      await call(store, head);
      const { statements, rows } = await beneath.cost();
      costs.push({
        statements: statements - before.statements,
        ...(rows === undefined ? {} : { rows: rows - (before.rows ?? 0) }),
      });
    }
    const rows = costs.flatMap((one) => one.rows ?? []);
    found.set(name, {
      statements: Math.min(...costs.map((one) => one.statements)),
      ...(rows.length === 0 ? {} : { rows: Math.min(...rows) }),
    });
  }
  return found;
}

async function fillLog(store: KitStore, count: number): Promise<void> {
  await createRun(store, "run");
  await land(store, "run", [event("PHASE_STARTED", '{"phase":"plan"}')]);
  for (let left = count - 1; left > 0; left -= BATCH) {
    await land(store, "run", events(Math.min(left, BATCH)));
  }
}

/** One run is over, and this many are not: half of them are claimed. */
async function fillStore(store: KitStore, count: number): Promise<void> {
  await createRun(store, "expired");
  await claimExpired(store, "expired");
  for (let index = 0; index < count; index++) {
    const runId = `run-${index}`;
    await createRun(store, runId);
    if (index % 2 === 0) await claim(store, runId);
  }
}

/** The few oldest runs are the topic's live ones. Then come live runs of another topic, and at last finished runs of both. */
async function fillTopics(store: KitStore, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const runId = `run-${index}`;
    const isFinished = index >= FEW_RUNS && index > count / 2;
    const topic = index < FEW_RUNS || (isFinished && index % 2 === 0) ? RARE : "often";
    await store.createRun({ runId, ownerId: OWNER, metadata: "null", topic });
    if (isFinished) await land(store, runId, [event("RUN_COMPLETED")]);
    else if (index % 2 === 0) await land(store, runId, events(1));
  }
}
