import { Redis } from "ioredis";
import { serveOurGrid } from "./append-grid-ours.ts";
import { GRID_RUNS } from "./append-grid-writer.ts";
import { countEvents, createLog } from "./redis-log.ts";

const PREFIX = "ours";

const redis = new Redis(process.argv[2] ?? "");

serveOurGrid(await createLog(redis, PREFIX, GRID_RUNS), () =>
  countEvents(redis, PREFIX, GRID_RUNS),
);
