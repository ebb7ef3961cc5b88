import { serveOurGrid } from "./append-grid-ours.ts";
import { GRID_RUNS } from "./append-grid-writer.ts";
import { countEvents, createLog } from "./sqlite-log.ts";

const { database, runs } = await createLog(process.argv[2] ?? "", GRID_RUNS);

serveOurGrid(runs, () => countEvents(database));
