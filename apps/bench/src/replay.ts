import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import type { startChild } from "./child.ts";
import { measurePeers } from "./replay-peers.ts";
import { REPLAY_STORES } from "./replay-server.ts";
import { measureStore } from "./replay-store.ts";
import type { Report, Scale, Section } from "./report.ts";
import { withTempFolder } from "./temp-folder.ts";
import { withServer } from "./with-server.ts";

/** What a long log costs the server that replays it, by live stream and page by page. */
export const replay: Section = {
  name: "replay",
  question: "What does an event cost the server that replays a log of 100,000?",
  run: (scale) =>
    withTempFolder((folder) =>
      withServer(startPostgres(), (postgres, start) =>
        withServer(startRedis(), (redis) =>
          measureReplays(scale, start, {
            folder,
            redis: redis.url,
            postgres: () => postgres.createDatabase(),
          }),
        ),
      ),
    ),
};

/** Where logs may be made. */
export interface ReplayPlaces {
  readonly folder: string;
  readonly redis: string;
  /** Makes a database of its own, and returns its URL. */
  readonly postgres: () => Promise<string>;
}

async function measureReplays(
  scale: Scale,
  start: typeof startChild,
  places: ReplayPlaces,
): Promise<Report> {
  const locations = {
    sqlite: join(places.folder, "log.db"),
    memory: "",
    postgres: await places.postgres(),
    redis: places.redis,
  };
  const reports: Report[] = [];
  for (const store of REPLAY_STORES) {
    reports.push(await measureStore(scale, start, store, locations[store]));
  }
  reports.push(await measurePeers(scale, start, places));
  return {
    targets: reports.flatMap(({ targets }) => targets),
    figures: reports.flatMap(({ figures }) => figures),
    notes: reports.flatMap(({ notes }) => notes),
  };
}
