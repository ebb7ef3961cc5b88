import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { createRunServer, type RunServer } from "./run-server.ts";
import { sampleEvent } from "./sample-event.ts";

/** A server of runs that are followed. */
export interface FollowingServer extends RunServer {
  /** Appends so many events at once to each run. */
  append(events: number): Promise<void>;
}

const EVENT_BYTES = 300;

const [, , runCount = ""] = process.argv;
const runs = createRunEvents({ store: createMemoryStore() });
const runIds = Array.from({ length: Number(runCount) }, (_, index) => runIdOf(index));
for (const runId of runIds) await runs.create({ ownerId: OWNER, runId });
const server = createRunServer(runs, OWNER);
const event = sampleEvent(EVENT_BYTES);

serveParent<FollowingServer>({
  listen: () => listen(server),
  async append(events) {
    const batch = Array.from({ length: events }, () => event);
    for (const runId of runIds) await runs.append(runId, batch);
  },
});
