import { OWNER } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { createLog, createPool } from "./postgres-log.ts";
import { createRunServer, type RunServer } from "./run-server.ts";

const server = createRunServer(await createLog(createPool(process.argv[2] ?? ""), 1), OWNER);

serveParent<RunServer>({ listen: () => listen(server) });
