import { serveOurGrid } from "./append-grid-ours.ts";
import { GRID_RUNS } from "./append-grid-writer.ts";
import { countEvents, createLog, createPool } from "./postgres-log.ts";

const pool = createPool(process.argv[2] ?? "");

serveOurGrid(await createLog(pool, GRID_RUNS), () => countEvents(pool));
