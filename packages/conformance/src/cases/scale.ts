import type { RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { requests } from "@tm/run-events-core/wire";
import { appendRequest, event, events, land, landingOf } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, readRun } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const EVENTS = 20_000;
const RUNS = 2_000;
const AT_ONCE = 100;
const LISTED_AT_ONCE = 300;
/** Requests and queries of one call, as many as core puts into one. */
const ITEMS = 1_024;
/** Payloads as large as core takes them: 4 MiB of one batch, 8 MiB of one call. */
const LARGE = 16;

/** A plain append to a run without a lease. */
const PLAIN = {
  ownerId: OWNER,
  fence: null,
  leaseMs: null,
  expectedSequence: null,
  idempotencyKey: null,
};

/** Cases of S12 in `STORE.md`: a long run and a full store answer as short ones do. A benchmark measures the cost. */
export const scale: readonly TrialCase[] = [
  {
    name: "S12 the last page of a run of 20,000 events and an append after it are right",
    async run({ store }) {
      await createRun(store, "run");
      const batch = events(1_000);
      const first = [event("PHASE_STARTED", '{"phase":"plan"}'), ...batch.slice(1)];
      for (let count = 0; count < EVENTS; count += batch.length) {
        await store.append([appendRequest("run", count === 0 ? first : batch)]);
      }
      const last = await readRun(store, "run", { since: EVENTS - 3 });
      assertEqual(
        last.events.map((one) => one.payload),
        batch.slice(-3).map((one) => one.payload),
        "the payloads of the last page",
      );
      assertEqual(last.run.phase, '"plan"', "the phase that the first event started");
      const landing = await land(store, "run", events(1));
      assertEqual(landing.firstSequence, EVENTS + 1, "the next sequence");
      const middle = await readRun(store, "run", { since: EVENTS / 2, limit: 2 });
      assertEqual(middle.run.lastSequence, EVENTS + 1, "the head of a page in the middle");
    },
  },
  {
    name: "S12 a store of 2,000 runs reads, appends and lists correctly",
    async run({ store }) {
      for (let from = 0; from < RUNS; from += AT_ONCE) {
        const ids = Array.from({ length: AT_ONCE }, (_, index) => `run-${from + index}`);
        await Promise.all(ids.map((runId) => createRun(store, runId)));
      }
      for (let from = 0; from < RUNS; from += ITEMS) {
        const ids = Array.from({ length: ITEMS }, (_, index) => `run-${from + index}`);
        const outcomes = await store.append(ids.map((id) => appendRequest(id, events(2))));
        assertEqual(
          outcomes.map((outcome) => outcome.outcome === "appended" && outcome.lastSequence),
          ids.map((_, index) => (from + index < RUNS ? 2 : false)),
          "where the requests of one call landed",
        );
        const query = { since: 1, limit: 1, maxBytes: 1_000 };
        const pages = await store.read(ids.map((runId) => ({ ...query, runId })));
        assertEqual(
          pages.map((page) => page && [page.run.runId, page.events.length]),
          ids.map((runId, index) => (from + index < RUNS ? [runId, 1] : null)),
          "the answers to the queries of one call",
        );
      }
      // Core would send a call again in parts that a store has refused.
      const plains = Array.from({ length: ITEMS }, (_, index) => ({
        ...PLAIN,
        runId: `run-${index + 1}`,
        events: events(2),
      }));
      const landings = await store.inner.append(plains);
      assertTaken(
        landings,
        plains.map(() => 4),
        "where the appends of one call landed",
      );
      for (const runId of ["run-0", `run-${RUNS - 1}`]) {
        assertEqual((await land(store, runId, events(1))).firstSequence, 3, `the next of ${runId}`);
        assertEqual((await readRun(store, runId)).events.length, 3, `the events of ${runId}`);
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
  {
    name: "S12 a call of 8 MiB lands whole",
    async run({ store }) {
      // These characters may be escaped by a driver, which makes its statement twice as long.
      const escaped = '\\"'.repeat((requests.MAX_PAYLOAD_BYTES - 4) / 2);
      const batch = Array.from({ length: LARGE }, (_, index) =>
        event("TOKEN", `"${String.fromCharCode(97 + index)} ${escaped}"`),
      );
      const ids = ["run-a", "run-b"];
      for (const runId of ids) await createRun(store, runId);
      const outcomes = await store.append(ids.map((runId) => appendRequest(runId, batch)));
      assertEqual(
        outcomes.map((outcome) => landingOf(outcome).lastSequence),
        ids.map(() => LARGE),
        "the ends of the runs",
      );
      for (const runId of ids) {
        const { events: page } = await readRun(store, runId);
        const isWhole = page.every(({ payload }, at) => payload === batch[at]?.payload);
        assertEqual(
          [page.length, isWhole],
          [LARGE, true],
          `the length of ${runId}, and whether it is whole`,
        );
      }
      const again = await store.inner.append(
        ids.map((runId) => ({ ...PLAIN, runId, events: batch })),
      );
      assertTaken(
        again,
        ids.map(() => 2 * LARGE),
        "the ends of the runs after another call",
      );
    },
  },
];

/** A store that takes plain appends lands each; one that leaves them all to core answers `null` to each. */
function assertTaken(
  landings: Awaited<ReturnType<RunEventStore["append"]>>,
  ends: readonly number[],
  what: string,
): void {
  if (landings.every((landing) => landing === null)) return;
  assertEqual(
    landings.map((landing) => landing?.lastSequence),
    ends,
    what,
  );
}
