import type { RunRecord } from "@tm/run-events-core";
import { appendRequest, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, OWNER, readRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const EVENTS = 20_000;
const RUNS = 2_000;
const AT_ONCE = 100;
const LISTED_AT_ONCE = 300;

/** S12: a long run and a full store answer as short ones do. What it costs is for a benchmark to say. */
export const scale: readonly TrialCase[] = [
  {
    name: "S12 the last page of a run of 20,000 events and an append behind it are right",
    async run({ store }) {
      await createRun(store, "run");
      const batch = events(1_000);
      for (let count = 0; count < EVENTS; count += batch.length) {
        await store.append([appendRequest("run", batch)]);
      }
      const last = await readRun(store, "run", { since: EVENTS - 3 });
      assertEqual(
        last.events.map((one) => one.payload),
        batch.slice(-3).map((one) => one.payload),
        "the payloads of the last page",
      );
      const landing = await land(store, "run", events(1));
      assertEqual(landing.firstSequence, EVENTS + 1, "the next sequence");
      const middle = await readRun(store, "run", { since: EVENTS / 2, limit: 2 });
      assertEqual(middle.run.lastSequence, EVENTS + 1, "the head of a page in the middle");
    },
  },
  {
    name: "S12 a store of 2,000 runs reads, appends and lists right",
    async run({ store }) {
      for (let from = 0; from < RUNS; from += AT_ONCE) {
        const ids = Array.from({ length: AT_ONCE }, (_, index) => `run-${from + index}`);
        await Promise.all(ids.map((runId) => createRun(store, runId)));
        await store.append(ids.map((runId) => appendRequest(runId, events(1))));
      }
      for (const runId of ["run-0", `run-${RUNS - 1}`]) {
        assertEqual((await land(store, runId, events(1))).firstSequence, 2, `the next of ${runId}`);
        assertEqual((await readRun(store, runId)).events.length, 2, `the events of ${runId}`);
      }
      let before: number | null = null;
      const listed = new Set<string>();
      for (let from = 0; from < RUNS; from += LISTED_AT_ONCE) {
        const page: readonly RunRecord[] = await store.listRuns({
          ownerId: OWNER,
          runStatus: null,
          before,
          limit: LISTED_AT_ONCE,
        });
        for (const run of page) listed.add(run.runId);
        before = page.at(-1)?.ordinal ?? before;
      }
      assertEqual(listed.size, RUNS, "the number of listed runs");
    },
  },
];
