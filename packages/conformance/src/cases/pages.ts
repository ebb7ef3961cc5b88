import fc from "fast-check";
import { createPageCut, type NewEvent, utf8Bytes } from "@tm/run-events-core/store";
import { event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readRun } from "../read-log.ts";
import type { KitStore, KitQuery } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

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
        since: fc.oneof(
          { weight: 9, arbitrary: fc.nat(BATCH.length + 3) },
          { weight: 1, arbitrary: fc.constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER - 1) },
        ),
        limit: fc.integer({ min: 1, max: BATCH.length + 3 }),
        maxBytes: fc.integer({ min: 1, max: 12_000 }),
      });
      await check(query, (part) => cutsRight(store, part), { kind: "values" });
    },
  },
  {
    name: "W2 createdAtMs is of now, and never decreases within a run, even if the clock of the host goes back",
    async run(trial) {
      const { store } = trial;
      const calledAtMs = Date.now();
      const { createdAtMs } = await createRun(store, "run");
      assert(
        Math.abs(createdAtMs - calledAtMs) < CLOCK_TOLERANCE_MS,
        `createdAtMs is of now, ${calledAtMs}, give or take ${CLOCK_TOLERANCE_MS}, got ${createdAtMs}`,
      );
      for (const one of await trial.stores()) await land(one, "run", events(3));
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
      assert(times.every(Number.isSafeInteger), "times are whole milliseconds");
      const ascending = times.toSorted((a, b) => a - b);
      assertEqual(times, ascending, "the times of the run, in its order");
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
