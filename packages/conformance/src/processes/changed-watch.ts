import type { RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { assertKept, brokenIn, isSame } from "../assert.ts";
import { ChangedReader } from "../changed-reader.ts";
import { nextTurn } from "../next-turn.ts";
import { within } from "../within.ts";
import { untilAnswered } from "./ask-store.ts";

/** A reader of all changed runs of the kit's owner, which asks again and again. */
export interface ChangedWatch {
  /**
   * Resolves when the reader has each of the runs as it is now.
   * @throws BrokenClause if a run is still missing after 10 s
   */
  catchUp(runIds: readonly string[]): Promise<void>;
}

/** Starts to ask. Resolves with the first answer. */
export async function watchChanged(store: RunEventStore): Promise<ChangedWatch> {
  const reader = new ChangedReader();
  let isWatching = true;
  // A store whose server has crashed reconnects to it.
  const ask = (): Promise<unknown> => untilAnswered(() => reader.ask(store));

  async function watch(): Promise<void> {
    while (isWatching) {
      await ask();
      await nextTurn();
    }
  }

  async function missing(runIds: readonly string[]): Promise<readonly string[]> {
    const left: string[] = [];
    for (const runId of runIds) {
      const run = await store.getRun(runId);
      assertKept("S29", run !== null, `${runId} is there`);
      if (!isSame(stateOf(reader.runs.get(runId)), stateOf(run))) left.push(runId);
    }
    return left;
  }

  await ask();
  const watching = watch();
  // If it fails, `catchUp` throws the error.
  watching.catch(() => {});
  return {
    async catchUp(runIds) {
      isWatching = false;
      await watching;
      let left = await missing(runIds);
      const [first = "", ...others] = left;
      const what = `a reader of changed runs to have the last state of ${first} and ${others.length} others`;
      const poll = async (): Promise<void> => {
        for (; left.length > 0; left = await missing(left)) {
          await ask();
          await nextTurn();
        }
      };
      try {
        await within(0, poll(), what);
      } catch (error) {
        throw brokenIn("S29", error);
      }
    },
  };
}

function stateOf(run: RunRecord | null | undefined): object | null {
  if (!run) return null;
  const { ordinal, lastSequence, runStatus } = run;
  return { ordinal, lastSequence, runStatus };
}
