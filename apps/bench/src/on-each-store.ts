import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { type startChild, withServer } from "./child.ts";
import type { Report } from "./report.ts";
import type { StoreKind } from "./stores.ts";
import { withTempFolder } from "./temp-folder.ts";

/** A rewrite of the file comes at every doubling, takes a core for itself, and slows the subject that runs then. */
const NO_REWRITE = ["--auto-aof-rewrite-percentage", "0"];

/** Measures one store, in processes that `start` starts, on a log at this location. */
type MeasureStore = (
  start: typeof startChild,
  store: StoreKind,
  location: string,
) => Promise<Report>;

/** Measures these stores one after the other, each on a new file or server. @returns all reports as one */
export function measureOnEachStore(
  stores: readonly StoreKind[],
  measureStore: MeasureStore,
): Promise<Report> {
  return withTempFolder((folder) =>
    withServer(startPostgres(), (postgres, start) =>
      withServer(startRedis({ settings: NO_REWRITE }), async (redis) => {
        const locations: Readonly<Record<StoreKind, string>> = {
          sqlite: join(folder, "log.db"),
          memory: "",
          postgres: await postgres.createDatabase(),
          redis: redis.url,
        };
        const reports: Report[] = [];
        for (const store of stores)
          reports.push(await measureStore(start, store, locations[store]));
        return joinReports(reports);
      }),
    ),
  );
}

/** The reports one after the other, as one. */
export function joinReports(reports: readonly Report[]): Report {
  return {
    targets: reports.flatMap(({ targets }) => targets),
    figures: reports.flatMap(({ figures }) => figures),
    notes: reports.flatMap(({ notes }) => notes),
  };
}
