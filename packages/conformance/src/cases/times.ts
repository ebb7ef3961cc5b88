import type { ReadQuery, StoredEvent } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, OWNER, readLog, readRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

/** So many different times a log needs that a neighbour's time is seen as wrong. */
const TIMES = 4;
/** An append takes more than a thousandth of a millisecond. */
const MOST_APPENDS = 20_000;
/** How often each writer appends while others read. */
const ROUNDS = 30;
/** Writers start some turns later each time, so that even calls of one turn meet readers at many points. */
const WRITER_TURNS = 5;
/** How far ahead of the head readers look at most. */
const AHEAD = 12;
/** How many queries one call has. */
const QUERIES = 100;

/** Cases of S30 in `STORE.md`: the time of the event `since` in the same read. */
export const times: readonly TrialCase[] = [
  {
    name: "S30 a read with withTime has the time of the event since, at every cursor, and none where no event is",
    async run({ store }) {
      const log = await fillWithTimes(store, "run");
      const cursors = Array.from({ length: log.length + 3 }, (_, since) => since);
      cursors.push(1_000_000, Number.MAX_SAFE_INTEGER - 1);
      for (let from = 0; from < cursors.length; from += QUERIES) {
        const some = cursors.slice(from, from + QUERIES);
        const pages = await store.read(some.map((since) => queryOf("run", since)));
        const found = pages.map((page) => page?.timeAtSinceMs);
        const owed = some.map((since) => log[since - 1]?.createdAtMs ?? null);
        assertEqual(found, owed, `the times of the events at ${some[0]} to ${some.at(-1)}`);
      }
    },
  },
  {
    name: "S30 each query of a call has its own time, one without withTime has none, and a stranger learns nothing",
    async run({ store }) {
      const one = await fillWithTimes(store, "run-a");
      const other = await fillWithTimes(store, "run-b");
      await createRun(store, "empty");
      const [lastOfOne, lastOfOther] = [one.length, other.length];
      const queries: readonly ReadQuery[] = [
        queryOf("run-b", 1),
        queryOf("run-a", lastOfOne),
        { ...queryOf("run-a", 1), withTime: false },
        queryOf("nowhere", 1),
        queryOf("run-b", lastOfOther),
        { ...queryOf("run-a", 1), ownerId: "another owner" },
        { ...queryOf("run-a", 1), ownerId: OWNER },
        queryOf("empty", 0),
        queryOf("empty", 1),
      ];
      const pages = await store.read(queries);
      const found = pages.map((page) => page && [page.run.runId, page.timeAtSinceMs]);
      const owed = [
        ["run-b", other[0]?.createdAtMs],
        ["run-a", one.at(-1)?.createdAtMs],
        ["run-a", undefined],
        null,
        ["run-b", other.at(-1)?.createdAtMs],
        null,
        ["run-a", one[0]?.createdAtMs],
        ["empty", null],
        ["empty", null],
      ];
      assertEqual(found, owed, "the times of the answers");
    },
  },
  {
    name: "S30 withTime changes nothing else of a page, however it is cut",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", [event("PHASE_STARTED", '{"phase":"plan"}'), ...events(9)]);
      await land(store, "run", [event("TOKEN", `"${"a".repeat(20_000)}"`), ...events(2)]);
      for (let since = 0; since <= 14; since++) {
        for (const part of [{ limit: 1 }, { limit: 3, maxBytes: 700 }, { maxBytes: 1 }, {}]) {
          const plain = await readRun(store, "run", { since, ...part });
          const { timeAtSinceMs: _, ...page } = await readRun(store, "run", {
            since,
            ...part,
            withTime: true,
          });
          assertEqual(page, plain, `the page after ${since}`);
        }
      }
    },
  },
  {
    name: "S30 the time is as of the same instant as the page, while others append",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      const seen = new Map<number, number>();

      async function write(store: KitStore): Promise<void> {
        for (let round = 0; round < ROUNDS; round++) {
          await turns(round % WRITER_TURNS);
          await land(store, "run", events(2));
        }
      }

      async function read(store: KitStore): Promise<void> {
        let head = 0;
        for (let round = 0; round < 3 * ROUNDS; round++) {
          // Others move the head meanwhile: this is before it, at it or past it.
          const since = head + (round % AHEAD);
          const { run, timeAtSinceMs = null } = await readRun(store, "run", {
            since,
            withTime: true,
          });
          const isThere = since > 0 && since <= run.lastSequence;
          assertEqual(timeAtSinceMs !== null, isThere, `a time at ${since} of ${run.lastSequence}`);
          if (since === run.lastSequence && isThere)
            assertEqual(timeAtSinceMs, run.updatedAtMs, "the time of the last event");
          if (timeAtSinceMs !== null) seen.set(since, timeAtSinceMs);
          head = run.lastSequence;
        }
      }

      await Promise.all(stores.flatMap((store) => [write(store), write(store), read(store)]));
      const { events: log } = await readLog(trial.store, "run");
      for (const [sequence, ms] of seen)
        assertEqual(ms, log[sequence - 1]?.createdAtMs, `the time of the event ${sequence}`);
    },
  },
  {
    name: "S30 a run whose id is used again has none of the times of the deleted one",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", [...events(3), event("RUN_COMPLETED")]);
      for (const since of [1, 4]) await readRun(store, "run", { since, withTime: true });
      await store.deleteRun("run", null);
      await createRun(store, "run");
      for (const since of [1, 4]) {
        const page = await readRun(store, "run", { since, withTime: true });
        assertEqual(page.timeAtSinceMs, null, `the time at ${since} of the new run`);
      }
      const log = await appendTimes(store, "run");
      for (const since of [1, 4]) {
        const page = await readRun(store, "run", { since, withTime: true });
        assertEqual(page.timeAtSinceMs, log[since - 1]?.createdAtMs, `the time at ${since}`);
      }
    },
  },
];

function queryOf(runId: string, since: number): ReadQuery {
  return { runId, ownerId: null, since, limit: 1, maxBytes: 1, withTime: true };
}

async function fillWithTimes(store: KitStore, runId: string): Promise<readonly StoredEvent[]> {
  await createRun(store, runId);
  return appendTimes(store, runId);
}

/** Appends until the log has enough different times, and both of two neighbours are in it. */
async function appendTimes(store: KitStore, runId: string): Promise<readonly StoredEvent[]> {
  const found = new Set<number>();
  for (let count = 0; found.size < TIMES && count < MOST_APPENDS; count++) {
    await land(store, runId, events(2));
    found.add((await readRun(store, runId, { since: 1_000_000 })).run.updatedAtMs);
  }
  assert(found.size === TIMES, `the clock goes on within ${MOST_APPENDS} appends`);
  const { events: log } = await readLog(store, runId);
  return log;
}
