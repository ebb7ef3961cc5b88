import type { AppendLanding } from "../core-calls.ts";
import { append, appendRequest, event, events, land, landingOf } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

/** Cases of S1 in `STORE.md`: no gap and no repeat. */
export const sequences: readonly TrialCase[] = [
  {
    name: "S1 sequences are 1, 2, 3, … for batches of any size",
    async run({ store }) {
      await createRun(store, "run");
      let last = 0;
      for (const size of [1, 3, 1, 1_000, 2, 7]) {
        const landing = await land(store, "run", events(size));
        assertEqual(
          [landing.firstSequence, landing.lastSequence],
          [last + 1, last + size],
          `where a batch of ${size} landed`,
        );
        last += size;
      }
      const log = await readLog(store, "run");
      assertEqual(log.run.lastSequence, last, "the head");
      assertEqual(log.events.length, last, "the number of events");
    },
  },
  {
    name: "S1 a refused append leaves no gap",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", events(1), { idempotencyKey: "key" });
      await append(store, "run", events(2), { expectedSequence: 0 });
      await append(store, "run", events(2), { idempotencyKey: "key" });
      await append(store, "run", events(2), { ownerId: "another owner" });
      assertEqual((await land(store, "run", events(1))).firstSequence, 2, "the next sequence");
      await readLog(store, "run");
    },
  },
  {
    name: "S1 appends that race fill every sequence from 1 to the head once",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run");
      // From now on the run is running, and takes plain appends.
      const first = await land(store, "run", events(1));
      const sizes = Array.from({ length: 60 }, (_, index) => 1 + (index % 4));
      const landings = await Promise.all(
        sizes.map((size, index) =>
          land(stores[index % stores.length] ?? store, "run", events(size)),
        ),
      );
      sizes.unshift(1);
      assertTiles([first, ...landings], sizes);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      assertEqual((await readLog(store, "run")).run.lastSequence, total, "the head");
    },
  },
  {
    name: "S1 each run counts its own sequences from 1",
    async run({ store }) {
      await createRun(store, "run-a");
      await createRun(store, "run-b");
      await land(store, "run-a", events(5));
      const outcomes = await store.append([
        appendRequest("run-b", [event("RUN_STARTED")]),
        appendRequest("run-a", [event("RUN_STARTED")]),
      ]);
      assertEqual(
        outcomes.map((outcome) => landingOf(outcome).firstSequence),
        [1, 6],
        "the first sequences in two runs",
      );
    },
  },
];

/** Fails unless the landings, wherever each fell, lie end to end from 1, each as long as its batch. */
function assertTiles(landings: readonly AppendLanding[], sizes: readonly number[]): void {
  assertEqual(
    landings.map((landing) => landing.lastSequence - landing.firstSequence + 1),
    sizes,
    "the lengths of the batches that landed",
  );
  let last = 0;
  for (const landing of landings.toSorted((a, b) => a.firstSequence - b.firstSequence)) {
    assertEqual(landing.firstSequence, last + 1, `the first sequence after ${last}`);
    last = landing.lastSequence;
  }
}
