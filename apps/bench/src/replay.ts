import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { type startChild, withServer } from "./child.ts";
import { REPLAY_STORES, type ReplayStore } from "./replay-log.ts";
import { measureStore } from "./replay-store.ts";
import type { Report, Scale, Section } from "./report.ts";
import { withTempFolder } from "./temp-folder.ts";

/** What a long log costs the server that replays it, by live stream and page by page. */
export const replay: Section = {
  name: "replay",
  question: "What does an event cost the server that replays a log of 100,000?",
  run: (scale) =>
    withTempFolder((folder) =>
      withServer(startPostgres(), (postgres, start) =>
        withServer(startRedis(), async (redis) =>
          measureReplays(scale, start, {
            sqlite: join(folder, "log.db"),
            memory: "",
            postgres: await postgres.createDatabase(),
            redis: redis.url,
          }),
        ),
      ),
    ),
};

/** @param locations where each store is to make its log */
async function measureReplays(
  scale: Scale,
  start: typeof startChild,
  locations: Readonly<Record<ReplayStore, string>>,
): Promise<Report> {
  const reports: Report[] = [];
  for (const store of REPLAY_STORES) {
    reports.push(await measureStore(scale, start, store, locations[store]));
  }
  return {
    targets: reports.flatMap(({ targets }) => targets),
    figures: reports.flatMap(({ figures }) => figures),
    notes: reports.flatMap(({ notes }) => notes),
  };
}
