import { isTerminal } from "@tm/run-events-core";
import type { NewEvent, RunRecord, StoredEvent } from "@tm/run-events-core/store";
import { append } from "./append-request.ts";
import { assert, assertEqual } from "./assert.ts";
import { checkHead, createRun, readLog, readRun } from "./read-log.ts";
import { type KitStore, OWNER, type KitPage } from "./kit-store.ts";
import type { Trial } from "./trial.ts";
import { nextTurn } from "./next-turn.ts";
import { turns } from "./turns.ts";

const RACES = 7;
const ROUNDS = 5;
const READS = 4;
/** Each race, and each writer of it, starts some turns later: so even calls of one turn meet at many points. */
const RACE_TURNS = 3;
const WRITER_TURNS = 7;

/** Appends that race each other and readers. */
export interface RacingAppends {
  /** The batch of one append of a round. Those of the last have to end the run. */
  readonly batch: (isLastRound: boolean, round: number) => readonly NewEvent[];
  /** The check of the case on each page, in addition to the one of every page. */
  readonly onPage?: (page: KitPage) => void;
}

/**
 * Appends in rounds to new runs, twice at once through each store object, while two readers read through each. Every page
 * is checked by itself (`checkPage`), each head against its last event, what was seen once has to stay, and nothing new may
 * come at or before it.
 */
export async function raceAppends(trial: Trial, racing: RacingAppends): Promise<void> {
  const stores = await trial.stores();
  const twice = [...stores, ...stores];
  for (let race = 0; race < RACES; race++) {
    const created = await createRun(trial.store, `run-${race}`);
    await raceOnce(twice, created, race, racing);
    const { run } = await readLog(trial.store, created.runId);
    assert(run.finishedAtMs !== null, "the run has ended");
  }
}

async function raceOnce(
  stores: readonly KitStore[],
  created: RunRecord,
  race: number,
  { batch, onPage = () => {} }: RacingAppends,
): Promise<void> {
  const readers = stores.map((store) => createReader(store, created, onPage));
  for (let round = 0; round < ROUNDS; round++) {
    const events = batch(round === ROUNDS - 1, round);
    let isWritten = false;
    const written = Promise.all(
      stores.map(async (store, index) => {
        await turns(race * RACE_TURNS + ((index * round) % WRITER_TURNS));
        const { outcome } = await append(store, created.runId, events);
        assert(
          outcome === "appended" || outcome === "finished",
          `an append that expects nothing lands, unless the run has ended, got ${outcome}`,
        );
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
function createReader(
  store: KitStore,
  created: RunRecord,
  onPage: (page: KitPage) => void,
): () => Promise<void> {
  const { runId } = created;
  let seen: readonly StoredEvent[] = [];
  let reads = 0;

  /** The head by itself and in the list, by turns. */
  async function readHead(): Promise<RunRecord | null> {
    reads += 1;
    if (reads % 2 === 1) return store.getRun(runId);
    const newest = { ownerId: OWNER, runStatus: null, before: null, limit: 1 };
    const [head = null] = await store.listRuns(newest);
    return head;
  }

  return async () => {
    const head = await readHead();
    const page = await readRun(store, runId);
    const { run } = page;
    assertEqual(page.events.slice(0, seen.length), seen, "what was seen before");
    assert(
      head !== null && head.lastSequence >= seen.length && head.lastSequence <= run.lastSequence,
      `heads never go back: ${seen.length}, then ${head?.lastSequence}, then ${run.lastSequence}`,
    );
    const last = page.events[head.lastSequence - 1];
    if (last === undefined) assertEqual(head, created, "the head without events");
    else checkHead(head, last);
    // A finished run is as it will ever be.
    if (isTerminal(head.runStatus)) assertEqual(run, head, "the head of a finished run");
    seen = page.events;
    onPage(page);
  };
}
