import { Redis } from "ioredis";
import { OWNER } from "./append-writer.ts";
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
});
