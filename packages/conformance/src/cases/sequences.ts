import type { AppendLanding } from "../core-calls.ts";
import { events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

/** Cases of S1 in `STORE.md`: no gap and no repeat. */
export const sequences: readonly TrialCase[] = [
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
