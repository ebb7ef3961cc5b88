import type { KitStore } from "../kit-store.ts";
import { createRecorder, type RecordedClient } from "../history/recorder.ts";
import type { Operation } from "../history/operation.ts";
import { checkDue, endDue } from "./due-runs.ts";
import { checkDialogue, goOnAsking } from "./go-on-asking.ts";
import { awaitExpired, startAgain, startOthers } from "./start-again.ts";
import type { WorkerCommands } from "./worker-commands.ts";

/** What a worker does after a crash about runs that were started with a claim, that wait or that no worker has. */
type CrashCommands = Pick<
  WorkerCommands,
  | "startAgain"
  | "startOthers"
  | "awaitExpired"
  | "goOnAsking"
  | "checkDialogues"
  | "checkDue"
  | "endDue"
>;

/** @param now the common clock */
export function createCrashCommands(storeOf: () => KitStore, now: () => number): CrashCommands {
  /** @returns what came of each call */
  async function record(
    name: string,
    work: (client: RecordedClient) => Promise<void>,
  ): Promise<readonly Operation[]> {
    const recorder = createRecorder(now);
    await work(recorder.client(name, storeOf()));
    return recorder.operations;
  }

  return {
    startAgain: ({ name, starts }) => record(name, (client) => startAgain(client, starts)),
    startOthers: ({ name, starts }) => record(name, (client) => startOthers(client, starts)),
    async awaitExpired({ runIds }) {
      await awaitExpired(storeOf(), runIds);
      return null;
    },
    goOnAsking: ({ name, runIds }) =>
      record(name, async (client) => {
        for (const runId of runIds) await goOnAsking(client, storeOf(), runId);
      }),
    async checkDialogues({ runIds }) {
      for (const runId of runIds) await checkDialogue(storeOf(), runId);
      return null;
    },
    async checkDue(due) {
      await checkDue(storeOf(), due);
      return null;
    },
    endDue: ({ name }) => record(name, (client) => endDue(client, storeOf(), name)),
  };
}
