import type { NewEvent } from "@tm/run-events-core/store";
import type { DueKind, DueLimit } from "../core-calls.ts";
import { event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { claim, claimExpired, dueRuns, freed, LONG_MS } from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const RACES = 12;

const LIVE = ["queued", "running", "waiting"] as const;
const REAPED = ["leased", ...LIVE] as const;
/** The events that bring a new run to the status. */
const COMES_TO: Readonly<Record<(typeof LIVE)[number], readonly NewEvent[]>> = {
  queued: [],
  running: [event("RUN_STARTED")],
  waiting: [event("INPUT_REQUESTED")],
};

const EXPIRED: DueLimit = { kind: "leased", limitMs: 0 };

/** Cases of S23 in `STORE.md`: runs that wait for something are found. */
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
      const inOrder = await dueRuns(store, "leased");
      assertEqual(inOrder, expected.leased, "the expired leases, the earliest first");
      // An append does not move the run in the index, but its head is read as it is now.
      await land(store, "running-free", [event("TOKEN")]);
      const running = await store.listDue({ due: "running", forMs: 0, limit: 1_000 });
      const listed = running.find(({ runId }) => runId === "running-free");
      assertEqual(listed?.lastSequence, 2, "the last sequence of a run that was listed before");
      // As many as there are, although runs in another status are newer than some of them.
      const query = {
        ownerId: OWNER,
        runStatus: "live",
        before: null,
        limit: LIVE.length * 4,
      } as const;
      const live = await store.listRuns(query);
      const stillLive = live.filter(({ runId }) => !runId.endsWith("-ended"));
      assertEqual(stillLive.length, query.limit, "the number of live runs");
      for (const kind of REAPED) {
        for (const other of REAPED) {
          // A run that waits for this has not waited for long.
          const limit = { kind, limitMs: kind === other ? LONG_MS : 0 };
          for (const runId of expected[other]) {
            const outcome = await store.endDue({ runId }, limit);
            assertEqual(outcome, "left", `the outcome of ${runId} as ${kind}`);
          }
        }
      }
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
];

async function createIn(
  store: KitStore,
  runId: string,
  status: (typeof LIVE)[number],
): Promise<void> {
  await createRun(store, runId);
  const batch = COMES_TO[status];
  if (batch.length > 0) await land(store, runId, batch);
}

/** Claims a run and gives it back. */
async function release(store: KitStore, runId: string): Promise<void> {
  const { fence } = await claim(store, runId);
  freed(await store.release({ runId, fence }), "the release");
}
