import type { LiveStatus, NewEvent } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { append, appendRequest, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { bySweeper, claim, claimExpired, freed, idleRuns, LONG_MS, under } from "../lease.ts";
import { createRun, OWNER, readLog } from "../read-log.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";
import { splitsAges } from "./idle-ages.ts";

const FENCED = { outcome: "fenced" };
const RUNS = 12;
/** More than the 50 runs that a call looks at, at least. */
const MANY = 60;
const RACES = 16;
const FIRST_GAP_MS = 50;
const END = [event("RUN_FAILED", '{"reason":"abandoned"}')];
const STATUSES: readonly LiveStatus[] = ["queued", "running", "waiting"];
/** What brings a new run to the status. */
const COMES_TO: Readonly<Record<LiveStatus, readonly NewEvent[]>> = {
  queued: [],
  running: [event("RUN_STARTED")],
  waiting: [event("INPUT_REQUESTED")],
};

/** Cases of S28 in `STORE.md`: runs that no worker works on are found, and each ends once. */
export const idling: readonly TrialCase[] = [
  {
    name: "S28 listIdle lists the runs of one status that have no lease, and no others",
    async run(trial) {
      const { store } = trial;
      for (const runStatus of STATUSES) {
        for (const name of ["free", "held", "expired", "released", "ended", "handed"]) {
          await createIn(store, `${runStatus}-${name}`, runStatus);
        }
        await claim(store, `${runStatus}-held`);
        await claimExpired(store, `${runStatus}-expired`);
        await release(store, `${runStatus}-released`);
        await land(store, `${runStatus}-ended`, [event("RUN_COMPLETED")]);
        await release(store, `${runStatus}-handed`);
        await claim(store, `${runStatus}-handed`);
      }
      for (const one of await trial.stores()) {
        for (const runStatus of STATUSES) {
          const listed = (await idleRuns(one, runStatus, 0)).filter(
            (runId) => runId !== "kit-clock",
          );
          const expected = [`${runStatus}-free`, `${runStatus}-released`];
          assertEqual(listed.toSorted(), expected, `the idle runs that are ${runStatus}`);
          assertEqual(await idleRuns(one, runStatus, LONG_MS), [], "the list with a long limit");
        }
      }
    },
  },
  {
    name: "S28 a queued run is idle since its creation, any other since its last event or the release of its last lease",
    async run({ store }) {
      for (let gapMs = FIRST_GAP_MS; ; gapMs *= 2) {
        if (await splitsAges(store, gapMs)) return;
      }
    },
  },
  {
    name: "S28 listIdle lists the runs first that have been idle for longest, up to the limit",
    async run({ store }) {
      const inOrder = Array.from({ length: RUNS }, (_, index) => `run-${(index * 7) % RUNS}`);
      // They are created in another order than they become idle, half of them by a release: else another order would pass.
      for (let index = 0; index < RUNS; index++) await createIn(store, `run-${index}`, "running");
      let lastMs = await storeNow(store);
      for (const [at, runId] of inOrder.entries()) {
        await untilStoreTime(store, lastMs);
        if (at % 2 === 0) await land(store, runId, events(1));
        else await release(store, runId);
        lastMs = await storeNow(store);
      }
      // What only has an event must not be put off by a look at it.
      for (let look = 0; look < 2; look++) {
        const listed = await idleRuns(store, "running", 0);
        assertEqual(
          listed.filter((runId) => runId !== "kit-clock"),
          inOrder,
          "the list",
        );
        for (const limit of [1, 5]) {
          const first = await store.listIdle({ runStatus: "running", idleForMs: 0, limit });
          assertEqual(first, inOrder.slice(0, limit), `a list of ${limit}`);
        }
      }
    },
  },
  {
    name: "S28 runs that had an event, a lease or an end since they were created hide no other run",
    async run({ store }) {
      for (let index = 0; index < RUNS; index++) await createIn(store, `run-${index}`, "waiting");
      await createIn(store, "last", "waiting");
      await untilStoreTime(store, await storeNow(store));
      for (let index = 0; index < RUNS; index++) {
        const runId = `run-${index}`;
        if (index % 3 === 0) await land(store, runId, events(1));
        else if (index % 3 === 1) await claim(store, runId);
        else await land(store, runId, [event("RUN_COMPLETED")]);
      }
      const first = { runStatus: "waiting", idleForMs: 0, limit: 1 } as const;
      assertEqual(await store.listIdle(first), ["last"], "the first of the list");
    },
  },
  {
    name: "S28 more runs than a call looks at, which are queued, claimed or had an event, hide no other run for long",
    async run({ store }) {
      const names = Array.from({ length: MANY }, (_, index) => `run-${index}`);
      for (const name of names) {
        await createIn(store, `queued-${name}`, "queued");
        await createIn(store, `claimed-${name}`, "waiting");
        await createIn(store, name, "waiting");
      }
      await createIn(store, "last", "waiting");
      const lastMs = await storeNow(store);
      await untilStoreTime(store, lastMs);
      for (const name of names) await claim(store, `claimed-${name}`);
      await store.append(names.map((name) => appendRequest(name, events(1))));
      const idleForMs = (await storeNow(store)) - lastMs;
      for (let look = 0; look < MANY; look++) {
        const listed = await store.listIdle({ runStatus: "waiting", idleForMs, limit: 1 });
        if (listed.includes("last")) return;
      }
      assert(false, `one of ${MANY} calls lists the run that has been idle for longest`);
    },
  },
  {
    name: "S28 a sweeper ends a run of its status that is idle, once, and no other run",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (const runStatus of STATUSES) {
        const end = bySweeper(runStatus);
        for (const name of ["held", "expired", "run"]) {
          await createIn(store, `${runStatus}-${name}`, runStatus);
        }
        const held = await claim(store, `${runStatus}-held`);
        await claimExpired(store, `${runStatus}-expired`);
        const runId = `${runStatus}-run`;
        for (const [name, by] of [
          [`${runStatus}-held`, end],
          [`${runStatus}-expired`, end],
          [runId, bySweeper(runStatus, LONG_MS)],
          ...STATUSES.filter((one) => one !== runStatus).map(
            (one) => [runId, bySweeper(one)] as const,
          ),
        ] as const) {
          assertEqual(await append(store, name, END, by), FENCED, `the end of ${name}`);
        }
        const { fence } = (await readLog(store, runId)).run;
        await land(other, runId, END, end);
        const { run } = await readLog(store, runId);
        assertEqual([run.runStatus, run.leaseExpiresAtMs], ["failed", null], "the run");
        assert(run.fence > fence, `the fence ${run.fence} is higher than ${fence}`);
        const again = await append(store, runId, END, end);
        assertEqual(again.outcome, "finished", "the outcome of the second sweeper");
        await land(store, `${runStatus}-held`, events(1), under(held));
        assertEqual(
          (await idleRuns(store, runStatus, 0)).filter((one) => one !== "kit-clock"),
          [],
          "the list",
        );
      }
    },
  },
  {
    name: "S28 when sweepers race, one of them ends each run",
    async run(trial) {
      const stores = await trial.stores();
      const runIds = Array.from({ length: RUNS }, (_, index) => `run-${index}`);
      for (const runId of runIds) await createIn(trial.store, runId, "waiting");
      const swept = await Promise.all(
        [...stores, ...stores].map(async (one, index) => {
          await turns(index * 3);
          const ended: string[] = [];
          for (const runId of await idleRuns(one, "waiting", 0)) {
            const { outcome } = await append(one, runId, END, bySweeper("waiting"));
            if (outcome === "appended") ended.push(runId);
          }
          return ended;
        }),
      );
      assertEqual(swept.flat().toSorted(), runIds.toSorted(), "the runs that were ended");
    },
  },
  {
    name: "S28 when a sweeper races a claim, a first event or a cancel, one of them gets the run",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(store, runId);
        const rival = [
          () => store.claim({ runId, ownerId: null, leaseMs: LONG_MS }),
          () => append(store, runId, events(1)),
          () => append(store, runId, [event("RUN_CANCELLED")], { appender: { by: "owner" } }),
        ][race % 3];
        const [end, taken] = await Promise.all([
          turns(race % 4).then(() => append(other, runId, END, bySweeper("queued"))),
          turns((race * 3) % 5).then(async () => rival?.()),
        ]);
        const { run, events: log } = await readLog(store, runId);
        const isSwept = run.runStatus === "failed";
        const lost = run.runStatus === "cancelled" ? "finished" : "fenced";
        assertEqual(
          [end.outcome, taken?.outcome === "finished", log.length],
          [isSwept ? "appended" : lost, isSwept, race % 3 === 0 && !isSwept ? 0 : 1],
          `the outcomes on a ${run.runStatus} run`,
        );
      }
    },
  },
];

async function createIn(store: KitStore, runId: string, runStatus: LiveStatus): Promise<void> {
  await createRun(store, runId, OWNER);
  const batch = COMES_TO[runStatus];
  if (batch.length > 0) await land(store, runId, batch);
}

/** Claims a run and gives it back. */
async function release(store: KitStore, runId: string): Promise<void> {
  const { fence } = await claim(store, runId);
  freed(await store.release({ runId, ownerId: null, fence }), "the release");
}
