import { appendRequest, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { raceAppends } from "../racing-appends.ts";
import { createRun, readLog, readRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const BATCH = 4;

/** Cases of S2 in `STORE.md`: one request is atomic, requests are independent and keep their order. */
export const atomicity: readonly TrialCase[] = [
  ...(["completed", "failed", "cancelled"] as const).map((runStatus): TrialCase => ({
    name: `S2 a terminal event leaves the run ${runStatus}`,
    async run({ store }) {
      await createRun(store, "run");
      const landing = await land(store, "run", [event(`RUN_${runStatus.toUpperCase()}`)]);
      assertEqual(landing.runStatus, runStatus, "the status in the outcome");
      const { run } = await readRun(store, "run");
      assertEqual(run.runStatus, runStatus, "the status of the run");
      assert(run.finishedAtMs !== null, "a finished run has a finishedAtMs");
    },
  })),
  {
    name: "S2 a racing reader sees a batch whole or not at all",
    run: (trial) =>
      raceAppends(trial, {
        batch: (isLastRound) =>
          isLastRound ? [...events(BATCH - 1), event("RUN_COMPLETED")] : events(BATCH),
        onPage({ run }) {
          const whole = run.lastSequence % BATCH === 0;
          assert(whole, `the head ${run.lastSequence} is the end of a batch of ${BATCH}`);
        },
      }),
  },
  {
    name: "S2 each request of one call lands or fails alone",
    async run({ store }) {
      for (const runId of ["run-a", "run-b", "finished"]) await createRun(store, runId);
      await land(store, "finished", [event("RUN_COMPLETED")]);
      const outcomes = await store.append([
        appendRequest("nowhere", events(1)),
        appendRequest("run-a", events(2)),
        appendRequest("finished", events(1)),
        appendRequest("run-b", events(1), { expectedSequence: 9 }),
        appendRequest("run-b", events(3)),
        appendRequest("run-a", events(1), { ownerId: "another owner" }),
        appendRequest("run-a", events(1)),
      ]);
      const running = { runStatus: "running", phase: null } as const;
      assertEqual(
        outcomes,
        [
          { outcome: "not_found" },
          { outcome: "appended", firstSequence: 1, lastSequence: 2, ...running },
          { outcome: "finished", runStatus: "completed", lastSequence: 1 },
          { outcome: "sequence_conflict", lastSequence: 0 },
          { outcome: "appended", firstSequence: 1, lastSequence: 3, ...running },
          { outcome: "not_found" },
          { outcome: "appended", firstSequence: 3, lastSequence: 3, ...running },
        ],
        "the outcomes of one call",
      );
      assertEqual((await readLog(store, "run-a")).events.length, 3, "the events of run-a");
      assertEqual((await readLog(store, "run-b")).events.length, 3, "the events of run-b");
    },
  },
  {
    name: "S2 a request that is refused or replayed keeps its place among those of a call to one run",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", events(1));
      const known = await land(store, "run", events(2), { idempotencyKey: "key" });
      const outcomes = await store.append([
        appendRequest("run", events(1)),
        appendRequest("run", events(1), { expectedSequence: 9 }),
        appendRequest("run", events(1)),
        appendRequest("run", events(2), { idempotencyKey: "key" }),
        appendRequest("run", events(1), { expectedSequence: 5 }),
      ]);
      const at = { runStatus: "running", phase: null } as const;
      assertEqual(
        outcomes,
        [
          { outcome: "appended", firstSequence: 4, lastSequence: 4, ...at },
          { outcome: "sequence_conflict", lastSequence: 4 },
          { outcome: "appended", firstSequence: 5, lastSequence: 5, ...at },
          { outcome: "replayed", ...known },
          { outcome: "appended", firstSequence: 6, lastSequence: 6, ...at },
        ],
        "the outcomes in order",
      );
    },
  },
  {
    name: "S2 the same key twice in one call lands once",
    async run({ store }) {
      await createRun(store, "run");
      for (const [idempotencyKey, count] of [
        ["while it is queued", 2],
        ["while it is running", 4],
      ] as const) {
        const request = appendRequest("run", events(2), { idempotencyKey });
        const [first, second] = await store.append([request, request]);
        assertEqual(first?.outcome, "appended", "the first outcome");
        assertEqual(second, { ...first, outcome: "replayed" }, "the second outcome");
        assertEqual((await readLog(store, "run")).events.length, count, "the number of events");
      }
    },
  },
  {
    name: "S2 a call without requests or queries returns an empty list",
    async run({ store }) {
      assertEqual(await store.append([]), [], "the outcomes of no requests");
      assertEqual(await store.read([]), [], "the answers to no queries");
    },
  },
];
