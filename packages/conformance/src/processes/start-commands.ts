import type { RunEventStore } from "@tm/run-events-core/store";
import { assert } from "../assert.ts";
import { createRecorder } from "../history/recorder.ts";
import { type ChangedWatch, watchChanged } from "./changed-watch.ts";
import { awaitExpired, startAgain, startOthers } from "./start-again.ts";
import type { WorkerCommands } from "./worker-commands.ts";

/** The commands about runs that are created with a claim, and about changed runs. */
type StartCommands = Pick<
  WorkerCommands,
  "startAgain" | "startOthers" | "awaitExpired" | "watchChanged" | "catchUpChanged"
>;

/**
 * Makes these commands for a worker.
 * @param now the common clock
 */
export function createStartCommands(
  storeOf: () => RunEventStore,
  now: () => number,
): StartCommands {
  let watch: ChangedWatch | null = null;
  return {
    async startAgain({ name, starts }) {
      const recorder = createRecorder(now);
      await startAgain(recorder.client(name, storeOf()), starts);
      return recorder.operations;
    },
    async startOthers({ name, starts }) {
      const recorder = createRecorder(now);
      await startOthers(recorder.client(name, storeOf()), starts);
      return recorder.operations;
    },
    async awaitExpired({ runIds }) {
      await awaitExpired(storeOf(), runIds);
      return null;
    },
    async watchChanged() {
      watch = await watchChanged(storeOf());
      return null;
    },
    async catchUpChanged({ runIds }) {
      assert(watch !== null, "a worker watches before it catches up");
      await watch.catchUp(runIds);
      return null;
    },
  };
}
