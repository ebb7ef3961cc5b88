import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { OWNER, runIdsOf } from "./run-ids.ts";
import { createRunServer, serveTested, type TestedServer } from "./tested-server.ts";

/** A server whose streams are idle. */
export interface IdleServer extends TestedServer {
  /** The resident memory, in bytes. */
  memory(): number;
  /** Collects all garbage. */
  collect(): Promise<void>;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const [, , runCount = ""] = process.argv;
const runs = createRunEvents({ store: createMemoryStore() });
for (const runId of runIdsOf(Number(runCount))) await runs.create({ ownerId: OWNER, runId });

serveTested(createRunServer(runs, "session"), {
  memory: () => process.memoryUsage.rss(),
  async collect() {
    collect();
    // The targets of weak references are collected by the next call, once this turn is over.
    await nextTurn();
    collect();
  },
});
