import { RunEventsError } from "@tm/run-events-core";
import { assert, assertEqual } from "../assert.ts";
import type { HandClock } from "../hand-clock.ts";
import type { PlannedReader } from "./game.ts";
import { readOn } from "./read-on.ts";
import type { Stage } from "./stage.ts";
import type { StagedStore, Witness } from "./staged-store.ts";

/** The state of the game when a reader comes. */
export interface ReaderPlace {
  readonly runId: string;
  readonly staged: StagedStore;
  readonly stage: Stage;
  readonly witness: Witness;
  readonly clock: HandClock;
  readonly isOver: () => boolean;
  /** The number of events that the run has at its end. */
  readonly total: number;
}

/** One reader on its way. */
export interface GameReader {
  /** Its name, and how far it has come. */
  describe(): string;
  seen(): number;
  /**
   * Reads to its end.
   * @throws Error for an event that is not the next one, or an end that is not the run's
   */
  run(): Promise<void>;
}

/** Makes a reader that holds each event against the plan. */
export function createGameReader(
  name: string,
  { peeks, late, lag, limit, stays }: PlannedReader,
  { runId, staged, stage, witness, clock, isOver, total }: ReaderPlace,
): GameReader {
  let since = 0;
  let seen = 0;

  const describe = (): string => `${name} has ${since} + ${seen} of ${total} events`;

  /** @returns whether it stayed to the end */
  async function read(): Promise<boolean> {
    const options = { since, limit, peeks, clock, isOver };
    for await (const { sequence, payload } of readOn(staged.store, runId, options)) {
      const next = since + seen + 1;
      assertEqual(sequence, next, `the next sequence, where ${describe()},`);
      const { at } = JSON.parse(payload) as { readonly at?: unknown };
      assertEqual(at, next, `the payload of event ${next}`);
      seen += 1;
      if (seen === stays) return false;
    }
    return true;
  }

  return {
    describe,
    seen: () => seen,
    async run() {
      for (let turn = 0; turn < late; turn++) await stage.turn(`${name} is late`);
      since = Math.max(0, witness.acknowledged - lag);
      try {
        const stayed = await read();
        assert(
          !stayed || isOver() || since + seen === total,
          `no reader ends early: ${describe()}`,
        );
      } catch (error) {
        // The store was closed under it: what it has is a beginning, and whole.
        const isClosed = error instanceof RunEventsError && error.code === "store_unavailable";
        if (!isClosed || !(staged.isClosing || isOver())) throw error;
      }
    },
  };
}
