import { setTimeout } from "node:timers/promises";
import { createRunEvents } from "@tm/run-events-core";
import { createPostgresStore } from "@tm/run-events-postgres";
import { APPEND_EVENT_BYTES, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { interceptQueries } from "./intercept-queries.ts";
import { createPool } from "./postgres-log.ts";
import { sampleEvent } from "./sample-event.ts";

/** A process that appends to many runs at a steady rate. */
export interface ManyRunsWriter {
  /** Appends single events to the runs in turn. Resolves when the last is acknowledged. */
  write(load: {
    readonly runs: number;
    readonly events: number;
    readonly eventsASecond: number;
  }): Promise<void>;
  /** How many queries its pool has sent since it started, and how many of them notify. */
  counts(): Readonly<Record<"queries" | "notifies", number>>;
}

const PACE_MS = 1;

const counts = { queries: 0, notifies: 0 };
const pool = interceptQueries(createPool(process.argv[2] ?? ""), ({ text }, send) => {
  counts.queries += 1;
  if (text.includes("pg_notify")) counts.notifies += 1;
  return send();
});
const runs = createRunEvents({ store: createPostgresStore(pool) });
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<ManyRunsWriter>({
  async write(load) {
    const beganAt = performance.now();
    const appends: Promise<unknown>[] = [];
    while (appends.length < load.events) {
      const due = ((performance.now() - beganAt) / 1_000) * load.eventsASecond;
      while (appends.length < Math.min(due, load.events)) {
        appends.push(runs.append(runIdOf(appends.length % load.runs), [event]));
      }
      await setTimeout(PACE_MS);
    }
    await Promise.all(appends);
  },
  counts: () => counts,
});
