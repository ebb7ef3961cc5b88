import type { NewEvent } from "@tm/run-events-core/store";
import type { DueKind, DueLimit, DueOutcome } from "../core-calls.ts";
import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { claim, claimExpired, dueRuns, freed, LONG_MS, renewed } from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const RUNS = 12;
const RACES = 12;
const FIRST_GAP_MS = 100;
const LIVE = ["queued", "running", "waiting"] as const;
const REAPED = ["leased", ...LIVE] as const;
/** The events that bring a new run to the status. */
const COMES_TO: Readonly<Record<(typeof LIVE)[number], readonly NewEvent[]>> = {
  queued: [],
  running: [event("RUN_STARTED")],
  waiting: [event("INPUT_REQUESTED")],
};
const EXPIRED: DueLimit = { kind: "leased", limitMs: 0 };

/** Cases of S23 in `STORE.md`: runs that wait for something are found, and each ends once. */
export const due: readonly TrialCase[] = [
  {
    name: "S23 each run is in the list of the one thing that it waits for",
    async run(trial) {
      const { store } = trial;
      for (const status of LIVE) {
        for (const name of ["free", "held", "expired", "released", "ended"]) {
          await createIn(store, `${status}-${name}`, status);
        }
        await claim(store, `${status}-held`);
        await claimExpired(store, `${status}-expired`);
        await release(store, `${status}-released`);
        await land(store, `${status}-ended`, [event("RUN_COMPLETED")]);
      }
      const expected: Record<DueKind, readonly string[]> = {
        leased: LIVE.map((status) => `${status}-expired`),
        queued: [],
        running: [],
        waiting: [],
        finished: LIVE.map((status) => `${status}-ended`),
      };
      for (const status of LIVE) expected[status] = [`${status}-free`, `${status}-released`];
      for (const one of await trial.stores()) {
        for (const [kind, runIds] of Object.entries(expected)) {
          const listed = await dueRuns(one, kind as DueKind);
          assertEqual(listed.toSorted(), runIds.toSorted(), `what waits as ${kind}`);
          assertEqual(await dueRuns(one, kind as DueKind, LONG_MS), [], "what waits for long");
        }
      }
      for (const kind of REAPED) {
        for (const runId of REAPED.flatMap((other) => (other === kind ? [] : expected[other]))) {
          const outcome = await store.endDue({ runId }, { kind, limitMs: 0 });
          assertEqual(outcome, "left", `the outcome of ${runId} as ${kind}`);
        }
      }
    },
  },
  {
    name: "S23 a list of due runs has the earliest first, up to the limit",
    async run({ store }) {
      const inOrder = Array.from({ length: RUNS }, (_, index) => `run-${(index * 7) % RUNS}`);
      // They are created in another order than they become due: else another order would pass.
      for (let index = 0; index < RUNS; index++) await createRun(store, `run-${index}`);
      for (const runId of inOrder) await claimExpired(store, runId);
      assertEqual(await dueRuns(store, "leased"), inOrder, "the expired runs");
      for (const runId of inOrder) {
        await land(store, runId, [event("RUN_COMPLETED")], { appender: { by: "owner" } });
        await untilStoreTime(store, await storeNow(store));
      }
      for (const limit of [1, 5, RUNS]) {
        const listed = await store.listDue({ due: "finished", forMs: 0, limit });
        const runIds = listed.map(({ runId }) => runId);
        assertEqual(runIds, inOrder.slice(0, limit), `a list of ${limit}`);
      }
    },
  },
  {
    name: "S23 an entry that is too early is put off, so that it hides no other run",
    async run({ store }) {
      for (let gapMs = FIRST_GAP_MS; ; gapMs *= 2) if (await putsOff(store, gapMs)) return;
    },
  },
  {
    name: "S23 a renewed lease is put off as well, and its run is left",
    async run({ store }) {
      await createRun(store, "run");
      const { fence } = await claimExpired(store, "run");
      assertEqual(await dueRuns(store, "leased"), ["run"], "the list before");
      renewed(await store.renew({ runId: "run", fence, leaseMs: LONG_MS }), "the renewal");
      assertEqual(await dueRuns(store, "leased"), [], "what of the list is due since the renewal");
      assertEqual(await store.endDue({ runId: "run" }, EXPIRED), "left", "the outcome");
      const listed = await store.listDue({ due: "leased", forMs: 0, limit: 10 });
      assertEqual(listed, [], "the list afterwards");
    },
  },
  {
    name: "S23 when a reaper races a renewal, the run lives if it was renewed",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createIn(store, runId, race % 2 === 0 ? "running" : "queued");
        const { fence } = await claimExpired(store, runId);
        const [outcome, renewal] = await Promise.all([
          turns(race % 4).then(() => other.endDue({ runId }, EXPIRED)),
          turns((race * 3) % 5).then(() => store.renew({ runId, fence, leaseMs: LONG_MS })),
        ]);
        const { run } = await readLog(store, runId);
        const isRenewed = renewal.outcome === "granted";
        assertEqual(
          [outcome, run.runStatus === "failed"],
          isRenewed ? ["left", false] : ["ended", true],
          `what became of ${runId}, whose renewal was answered ${renewal.outcome}`,
        );
        if (isRenewed) assertEqual(run.leaseExpiresAtMs, renewal.leaseExpiresAtMs, "its lease");
      }
    },
  },
  {
    name: "S23 when a reaper races a claim, an event or a cancel, one of them gets the run",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(store, runId);
        const rival = [
          () => store.claim({ runId, leaseMs: LONG_MS }),
          () => append(store, runId, events(1)),
          () => append(store, runId, [event("RUN_CANCELLED")]),
        ][race % 3];
        const [outcome] = await Promise.all([
          turns(race % 4).then(() => other.endDue({ runId }, { kind: "queued", limitMs: 0 })),
          turns((race * 3) % 5).then(async () => rival?.()),
        ]);
        const { run } = await readLog(store, runId);
        const isReaped = run.runStatus === "failed";
        assertEqual(outcome, isReaped ? "ended" : "left", `the outcome on a ${run.runStatus} run`);
      }
    },
  },
];

/**
 * Makes entries that are too early by a gap, and looks for the one run that is due.
 * @returns whether the looks came in time; otherwise the gap was too short for this store
 */
async function putsOff(store: KitStore, gapMs: number): Promise<boolean> {
  const names = Array.from({ length: RUNS }, (_, index) => `run-${gapMs}-${index}`);
  const last = `last-${gapMs}`;
  for (const runId of [...names, last]) await createIn(store, runId, "running");
  const oldMs = await storeNow(store);
  await untilStoreTime(store, oldMs + gapMs);
  for (const [index, runId] of names.entries()) {
    if (index % 3 === 0) await land(store, runId, events(1));
    else if (index % 3 === 1) await claim(store, runId);
    else await land(store, runId, [event("RUN_COMPLETED")]);
  }
  const limit = { kind: "running", limitMs: (await storeNow(store)) - oldMs } as const;
  const outcomes: Record<string, DueOutcome> = {};
  for (let look = 0; look <= RUNS && outcomes[last] === undefined; look++) {
    const [first] = await store.listDue({ due: "running", forMs: limit.limitMs, limit: 1 });
    assert(first !== undefined, "a run is listed that is due for as long");
    outcomes[first.runId] = await store.endDue(first, limit);
  }
  const isInTime = (await storeNow(store)) - oldMs - limit.limitMs < gapMs;
  if (isInTime) {
    assertEqual(outcomes[last], "ended", `the outcome of ${last}, after ${RUNS + 1} looks at most`);
    const early = Object.entries(outcomes).filter(([runId]) => runId !== last);
    for (const [runId, outcome] of early) assertEqual(outcome, "left", `the outcome of ${runId}`);
  }
  // With a longer gap they would be due before the others.
  for (const runId of [...names, last]) {
    await store.endDue({ runId }, { kind: "running", limitMs: 0 });
  }
  return isInTime;
}

async function createIn(
  store: KitStore,
  runId: string,
  status: (typeof LIVE)[number],
): Promise<void> {
  await createRun(store, runId, OWNER);
  const batch = COMES_TO[status];
  if (batch.length > 0) await land(store, runId, batch);
}

/** Claims a run and gives it back. */
async function release(store: KitStore, runId: string): Promise<void> {
  const { fence } = await claim(store, runId);
  freed(await store.release({ runId, fence }), "the release");
}
