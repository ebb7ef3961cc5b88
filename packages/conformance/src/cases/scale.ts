import type { RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { requests } from "@tm/run-events-core/wire";
import { appendRequest, event, events, land, landingOf } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, readLog, readRun } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const EVENTS = 20_000;
const RUNS = 2_000;
const AT_ONCE = 100;
/** The limits of an owner's lists: that of a page, and the one by which core looks at the live runs. */
const LISTS = [
  { runStatus: null, limit: 300 },
  { runStatus: "live", limit: 1_001 },
] as const;
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
      const log = await readLog(store, "run");
      assertEqual(log.events.length, EVENTS + 1, "the number of events of all pages");
    },
  },
  {
    name: "S12 a store of 2,000 runs reads, appends and lists correctly",
    async run({ store }) {
      const all = Array.from({ length: RUNS }, (_, index) => `run-${index}`);
      for (let from = 0; from < RUNS; from += AT_ONCE) {
        await Promise.all(all.slice(from, from + AT_ONCE).map((runId) => createRun(store, runId)));
      }
      const ids = [...all.slice(1 - ITEMS), "nowhere"];
      const last = (at: number): boolean => at === ITEMS - 1;
      const outcomes = await store.append(ids.map((id) => appendRequest(id, events(2))));
      assertEqual(
        outcomes.map((outcome) => outcome.outcome === "appended" && outcome.lastSequence),
        ids.map((_, at) => (last(at) ? false : 2)),
        "where the requests of one call landed",
      );
      const query = { since: 1, limit: 1, maxBytes: 1_000 };
      const pages = await store.read(ids.map((runId) => ({ ...query, runId })));
      assertEqual(
        pages.map((page) => page && [page.run.runId, page.events.length]),
        ids.map((runId, at) => (last(at) ? null : [runId, 1])),
        "the answers to the queries of one call",
      );
      // Core would send a call again in parts that a store has refused.
      const plains = ids.map((runId) => ({ ...PLAIN, runId, events: events(2) }));
      const ends = ids.map((_, at) => (last(at) ? undefined : 4));
      assertTaken(await store.inner.append(plains), ends, "where the appends of one call landed");
      assertEqual((await land(store, "run-0", events(1))).firstSequence, 1, "the next of run-0");
      for (const list of LISTS) {
        let before: number | null = null;
        const listed = new Set<string>();
        for (let from = 0; from < RUNS; from += list.limit) {
          const part = { ...list, ownerId: OWNER, before };
          const page: readonly RunRecord[] = await store.listRuns(part);
          const count = Math.min(list.limit, RUNS - from);
          assertEqual(page.length, count, `the length of a list of ${list.limit} after ${from}`);
          for (const run of page) listed.add(run.runId);
          before = page.at(-1)?.ordinal ?? before;
        }
        assertEqual(listed.size, RUNS, `the number of runs in lists of ${list.limit}`);
      }
      // The oldest come after all runs of another status.
      await land(store, "run-0", [event("RUN_COMPLETED")]);
      const ended = await store.listRuns({
        ownerId: OWNER,
        runStatus: "completed",
        before: null,
        limit: 1,
      });
      assertEqual(
        ended.map(({ runId }) => runId),
        ["run-0"],
        "the completed runs of a list of 1",
      );
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
  ends: readonly (number | undefined)[],
  what: string,
): void {
  if (landings.every((landing) => landing === null)) return;
  assertEqual(
    landings.map((landing) => landing?.lastSequence),
    ends,
    what,
  );
}
