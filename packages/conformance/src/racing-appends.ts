import {
  isTerminal,
  type NewEvent,
  type ReadResult,
  type RunEventStore,
  type StoredEvent,
} from "@tm/run-events-core";
import { append } from "./append-request.ts";
import { assert, assertEqual } from "./assert.ts";
import { createRun, readLog, readRun } from "./read-log.ts";
import type { Trial } from "./trial.ts";

const RACES = 7;
const ROUNDS = 5;
const LOOKS = 4;
/** Each race, and each writer of it, starts some turns later: so even calls of one turn meet at many points. */
const RACE_TURNS = 3;
const WRITER_TURNS = 7;

/** Appends that race each other and readers. */
export interface RacingAppends {
  /** The batch of one append of a round. Those of the last have to end the run. */
  readonly batch: (isLastRound: boolean, round: number) => readonly NewEvent[];
  /** What the case promises of each page, beside what holds of every page. */
  readonly onPage?: (page: ReadResult) => void;
}

/**
 * Appends in rounds to new runs, twice at once through each store object, while two readers look through each. Every page
 * is checked by itself (`checkPage`), what was seen once has to stay, and nothing new may come at or before it.
 */
export async function raceAppends(trial: Trial, racing: RacingAppends): Promise<void> {
  const stores = await trial.stores();
  const twice = [...stores, ...stores];
  for (let race = 0; race < RACES; race++) {
    const runId = `run-${race}`;
    await createRun(trial.store, runId);
    await raceOnce(twice, runId, race, racing);
    const { run } = await readLog(trial.store, runId);
    assert(run.finishedAtMs !== null, "the run has ended");
  }
}

async function raceOnce(
  stores: readonly RunEventStore[],
  runId: string,
  race: number,
  { batch, onPage = () => {} }: RacingAppends,
): Promise<void> {
  const readers = stores.map((store) => createReader(store, runId, onPage));
  for (let round = 0; round < ROUNDS; round++) {
    const events = batch(round === ROUNDS - 1, round);
    await Promise.all([
      ...stores.map(async (store, index) => {
        await turns(race * RACE_TURNS + ((index * round) % WRITER_TURNS));
        const { outcome } = await append(store, runId, events);
        assert(
          outcome === "appended" || outcome === "finished",
          `an append that expects nothing lands, unless the run has ended, got ${outcome}`,
        );
      }),
      ...readers.map(async (look, index) => {
        await turns(index);
        for (let count = 0; count < LOOKS; count++) await look();
      }),
    ]);
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

/** A reader that goes on from what it saw. */
function createReader(
  store: RunEventStore,
  runId: string,
  onPage: (page: ReadResult) => void,
): () => Promise<void> {
  let seen: readonly StoredEvent[] = [];
  return async () => {
    const head = await store.getRun(runId);
    const page = await readRun(store, runId);
    const { run } = page;
    assertEqual(page.events.slice(0, seen.length), seen, "what was seen before");
    assert(
      head !== null && head.lastSequence >= seen.length && head.lastSequence <= run.lastSequence,
      `heads never go back: ${seen.length}, then ${head?.lastSequence}, then ${run.lastSequence}`,
    );
    // A finished run is as it will ever be.
    if (isTerminal(head.runStatus)) assertEqual(run, head, "the head of a finished run");
    seen = page.events;
    onPage(page);
  };
}
