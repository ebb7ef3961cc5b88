import { createServer } from "node:http";
import { createNodeHandler } from "@tm/run-events-http/node";
import { OWNER } from "./append-writer.ts";
import { serveHttpAppend } from "./http-append-server.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

const { database, runs } = await createLog(process.argv[2] ?? "");
const handler = createNodeHandler({
  runs,
  authenticate: () => ({ userId: OWNER, credential: "bearer" }),
});

serveHttpAppend(
  createServer((request, response) => handler.handle(request, response)),
  () => countEvents(database),
);
