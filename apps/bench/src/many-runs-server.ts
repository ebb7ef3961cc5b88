import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { interceptQueries } from "./intercept-queries.ts";
import { listen } from "./listen.ts";
import { createPool } from "./postgres-log.ts";
import { createRunServer, type RunServer } from "./run-server.ts";

/** What a server has asked of its database since it started. */
export interface ServerCounts {
  /** Everything that its pool sent. */
  readonly queries: number;
  /** Those of them that notify. */
  readonly notifies: number;
  /** Those that read runs' events, and how many runs they read in all. */
  readonly reads: number;
  readonly runsRead: number;
  /** How often the bell of a run rang: the queries of a server that reads each run by itself. */
  readonly wakes: number;
}

/** A server of many runs. */
export interface ManyRunsServer extends RunServer {
  counts(): ServerCounts;
}

const [, , url = "", runCount = ""] = process.argv;
const counts = { queries: 0, notifies: 0, reads: 0, runsRead: 0, wakes: 0 };
const store = createPostgresStore(
  interceptQueries(createPool(url), ({ text }, send) => {
    counts.queries += 1;
    if (text.includes("pg_notify")) counts.notifies += 1;
    return send();
  }),
);
await store.migrate();

const counted: RunEventStore = {
  ...store,
  read(queries) {
    counts.reads += 1;
    counts.runsRead += queries.length;
    return store.read(queries);
  },
  watch(runId, wake) {
    return store.watch(runId, () => {
      counts.wakes += 1;
      wake();
    });
  },
};
const runs = createRunEvents({ store: counted });
for (let index = 0; index < Number(runCount); index++) {
  await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
}
const server = createRunServer(runs, OWNER);

serveParent<ManyRunsServer>({ listen: () => listen(server), counts: () => counts });
