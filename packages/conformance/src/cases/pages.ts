import fc from "fast-check";
import { createPageCut, type NewEvent, utf8Bytes } from "@tm/run-events-core/store";
import { event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { raceAppends } from "../racing-appends.ts";
import { createRun, readPage, readRun } from "../read-log.ts";
import { type KitStore, OWNER, type KitQuery } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const ROUNDS = 12;
/** The store's clock may differ from the one here by this much; a larger difference means another unit or time zone. */
const CLOCK_TOLERANCE_MS = 600_000;
/** The clock is turned back by this much. */
const TURNED_BACK_MS = 5_000;

const BATCH_LENGTH = 40;

/** Payloads of one to four bytes a character, small and large, with a phase now and then and at the end. */
const BATCH: readonly NewEvent[] = Array.from({ length: BATCH_LENGTH }, (_, index) => {
  const text = "aé\u2028\u{1f600}".slice(0, 1 + (index % 5)).repeat(1 + ((index * 37) % 150));
  const payload = JSON.stringify({ phase: `phase ${index}`, text });
  const startsPhase = index % 7 === 3 || index === BATCH_LENGTH - 1;
  return event(startsPhase ? "PHASE_STARTED" : "TOKEN", payload);
});

/** Cases of S9 in `STORE.md`: a page is one point in time, contiguous, cut but never to nothing. */
export const pages: readonly TrialCase[] = [
  {
    name: "S9 a page is cut by limit and by maxBytes exactly where core cuts it",
    async run({ store, check }) {
      await createRun(store, "run");
      await land(store, "run", BATCH);
      const query = fc.record({
        since: fc.nat(BATCH.length + 3),
        limit: fc.integer({ min: 1, max: BATCH.length + 3 }),
        maxBytes: fc.integer({ min: 1, max: 12_000 }),
      });
      await check(query, (part) => cutsRight(store, part), { kind: "values" });
    },
  },
  {
    name: "S9 the queries of one call are answered in order",
    async run({ store }) {
      for (const runId of ["run-a", "run-b"]) await createRun(store, runId);
      await land(store, "run-a", events(5));
      const part = { limit: 2, maxBytes: 1_000_000 };
      const queries: readonly KitQuery[] = [
        { ...part, runId: "run-b", since: 0 },
        { ...part, runId: "run-a", since: 3 },
        { ...part, runId: "nowhere", since: 0 },
        { ...part, runId: "run-a", since: 0 },
        { ...part, runId: "run-a", since: 3 },
        { ...part, runId: "run-a", since: 0, ownerId: "another owner" },
      ];
      assertEqual(
        (await store.read(queries)).map(
          (page) => page && [page.run.runId, ...page.events.map((one) => one.sequence)],
        ),
        [["run-b"], ["run-a", 4, 5], null, ["run-a", 1, 2], ["run-a", 4, 5], null],
        "the answers",
      );
    },
  },
  {
    name: "S9 the events and the head of a page are of one instant while others append",
    run: (trial) =>
      raceAppends(trial, {
        batch: (isLastRound, round) => [
          event("PHASE_STARTED", `{"phase":"${round}"}`),
          event(isLastRound ? "RUN_COMPLETED" : "TOKEN"),
        ],
      }),
  },
  {
    name: "S10 a read sees every append that was acknowledged before it",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      const list = { ownerId: OWNER, before: null, limit: 10 };
      await createRun(store, "run");
      for (let last = 1; last <= 20; last++) {
        const ends = last === 20;
        await land(stores[last % stores.length] ?? store, "run", [
          event(ends ? "RUN_COMPLETED" : "TOKEN"),
        ]);
        for (const one of stores) {
          const { run, events: page } = await readRun(one, "run", { since: last - 1 });
          assertEqual(page.length, 1, `the number of events after ${last - 1}`);
          assertEqual(await one.getRun("run"), run, "the run by itself");
          const runStatus = ends ? "completed" : "running";
          assertEqual(await one.listRuns({ ...list, runStatus }), [run], "the list");
        }
      }
      for (const one of stores) {
        const running = await one.listRuns({ ...list, runStatus: "running" });
        assertEqual(running, [], "the list of running runs");
      }
    },
  },
  {
    name: "W2 createdAtMs never decreases within a run",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      const calledAtMs = Date.now();
      const made = await createRun(store, "run");
      const { run: created } = await readRun(store, "run");
      assertEqual(created.createdAtMs, made.createdAtMs, "createdAtMs when it is read");
      assert(Number.isSafeInteger(created.createdAtMs), "createdAtMs is a number of milliseconds");
      assert(
        Math.abs(created.createdAtMs - calledAtMs) < CLOCK_TOLERANCE_MS,
        `createdAtMs is of now, ${calledAtMs}, give or take ${CLOCK_TOLERANCE_MS}, got ${created.createdAtMs}`,
      );
      assertEqual(created.updatedAtMs, created.createdAtMs, "updatedAtMs before the first event");
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all(stores.map((one) => land(one, "run", events(3))));
      }
      const { events: log } = await readRun(store, "run");
      assert(
        log.every((one) => Number.isSafeInteger(one.createdAtMs)),
        "createdAtMs of an event is a number of milliseconds",
      );
    },
  },
  {
    name: "W2 createdAtMs does not go back when the clock of the host does",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", events(1));
      const { now } = Date;
      // Little enough to disturb nothing else; a store with a clock of its own does not notice.
      Date.now = () => now() - TURNED_BACK_MS;
      try {
        await land(store, "run", events(1));
      } finally {
        Date.now = now;
      }
      const { run, events: log } = await readRun(store, "run");
      const times = [run.createdAtMs, ...log.map((one) => one.createdAtMs), run.updatedAtMs];
      assertEqual(
        times.toSorted((a, b) => a - b),
        times,
        "the times of the run, in its order",
      );
    },
  },
  {
    name: "S9 a page at or past the head is empty and shows the head",
    async run({ store }) {
      const created = await createRun(store, "run");
      assertEqual(
        await readPage(store, "run"),
        { run: created, events: [] },
        "the page of an empty run",
      );
      await land(store, "run", [event("PHASE_STARTED", '{"phase":"plan"}')]);
      const run = await store.getRun("run");
      for (const since of [1, 2, 1_000_000, Number.MAX_SAFE_INTEGER - 1]) {
        assertEqual(
          await readPage(store, "run", { since }),
          { run, events: [] },
          `the page after ${since}`,
        );
      }
    },
  },
];

/** Compares one page with what core's own cut leaves of the batch. */
async function cutsRight(
  store: KitStore,
  part: Pick<KitQuery, "since" | "limit" | "maxBytes">,
): Promise<void> {
  const belongs = createPageCut(part.limit, part.maxBytes);
  const rest = BATCH.slice(part.since);
  const end = rest.findIndex((one) => !belongs(utf8Bytes(one.payload)));
  const { events: page } = await readRun(store, "run", part);
  assertEqual(
    page.map(({ sequence, eventType, payload }) => ({ sequence, eventType, payload })),
    rest.slice(0, end === -1 ? rest.length : end).map(({ eventType, payload }, index) => ({
      sequence: part.since + 1 + index,
      eventType,
      payload,
    })),
    "the page",
  );
}
