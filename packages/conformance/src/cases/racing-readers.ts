import type { StoredEvent } from "@tm/run-events-core/store";
import { append, event, events } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import type { KitStore } from "../kit-store.ts";
import { nextTurn } from "../next-turn.ts";
import { createRun, readRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const RACES = 7;
const ROUNDS = 5;
const READS = 4;
const BATCH = 4;
/** Each race, and each writer of it, starts some turns later: so even calls of one turn meet at many points. */
const RACE_TURNS = 3;
const WRITER_TURNS = 7;

/** A case of S2 in `STORE.md` with more reads at once than races of drawn calls have. */
export const racingReaders: readonly TrialCase[] = [
  {
    name: "S2 a racing reader sees a batch whole or not at all",
    async run(trial) {
      const stores = await trial.stores();
      const twice = [...stores, ...stores];
      for (let race = 0; race < RACES; race++) {
        await createRun(trial.store, `run-${race}`);
        await raceOnce(twice, `run-${race}`, race);
      }
    },
  },
];

/** Appends in rounds, a writer and a reader for each of these objects. What was seen once has to stay. */
async function raceOnce(stores: readonly KitStore[], runId: string, race: number): Promise<void> {
  const readers = stores.map((store) => createReader(store, runId));
  for (let round = 0; round < ROUNDS; round++) {
    let isWritten = false;
    const written = Promise.all(
      stores.map(async (store, index) => {
        await turns(race * RACE_TURNS + ((index * round) % WRITER_TURNS));
        const isLast = round === ROUNDS - 1;
        await append(store, runId, isLast ? [...events(3), event("RUN_COMPLETED")] : events(BATCH));
      }),
    ).finally(() => (isWritten = true));
    const reads = readers.map(async (read, index) => {
      await turns(index);
      // Core may send an append only in a later turn.
      do {
        for (let count = 0; count < READS; count++) await read();
        await nextTurn();
      } while (!isWritten);
    });
    await Promise.all([written, ...reads]);
  }
}

/** A reader that goes on from what it saw. */
function createReader(store: KitStore, runId: string): () => Promise<void> {
  let seen: readonly StoredEvent[] = [];
  return async () => {
    const head = await store.getRun(runId);
    const { run, events: page } = await readRun(store, runId);
    assertEqual(page.slice(0, seen.length), seen, "what was seen before");
    assert(
      head !== null && head.lastSequence >= seen.length && head.lastSequence <= run.lastSequence,
      `heads never go back: ${seen.length}, then ${head?.lastSequence}, then ${run.lastSequence}`,
    );
    const isWhole = run.lastSequence % BATCH === 0;
    assert(isWhole, `the head ${run.lastSequence} is the end of a batch of ${BATCH}`);
    seen = page;
  };
}
