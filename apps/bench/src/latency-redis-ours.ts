import { Redis } from "ioredis";
import { OWNER } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { createLog } from "./redis-log.ts";
import { createRunServer, type RunServer } from "./run-server.ts";

const server = createRunServer(await createLog(new Redis(process.argv[2] ?? ""), "ours", 1), OWNER);

serveParent<RunServer>({ listen: () => listen(server) });
