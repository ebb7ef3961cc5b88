import { Redis } from "ioredis";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { createLog as createPostgresLog, createPool } from "./postgres-log.ts";
import { createLog as createRedisLog } from "./redis-log.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { createRunServer, type RunServer } from "./run-server.ts";

/** A server under a mixed load. */
export interface SizingServer extends RunServer {
  usage(): Usage;
  /** In bytes. */
  residentBytes(): number;
  /** Of all runs, as their heads have it. */
  countEvents(): Promise<number>;
}

const [, , url = "", runCount = ""] = process.argv;
const runs = url.startsWith("redis:")
  ? await createRedisLog(new Redis(url), "sizing", Number(runCount))
  : await createPostgresLog(createPool(url), Number(runCount));
const server = createRunServer(runs, OWNER);

serveParent<SizingServer>({
  listen: () => listen(server),
  usage: readUsage,
  residentBytes: () => process.memoryUsage.rss(),
  async countEvents() {
    let count = 0;
    for (let index = 0; index < Number(runCount); index++) {
      count += (await runs.get(runIdOf(index))).lastSequence;
    }
    return count;
  },
});
