import { createRunEvents, type RunEvent } from "@tm/run-events-core";
import { createPostgresStore } from "@tm/run-events-postgres";
import { serveParent } from "./child.ts";
import { createPool } from "./postgres-log.ts";
import { fillReplay, REPLAY_HEAD, REPLAY_RUN } from "./replay-log.ts";
import { type LogReader, measureReading } from "./replay-read.ts";

const [, , url = "", count = ""] = process.argv;
const store = createPostgresStore(createPool(url));
await store.migrate();
const runs = createRunEvents({ store });
await fillReplay(runs, Number(count) - REPLAY_HEAD.length);

/** As the others do: all events as values, in one array. */
async function readAll(): Promise<readonly RunEvent[]> {
  const all: RunEvent[] = [];
  for (let hasMore = true; hasMore;) {
    const page = await runs.read(REPLAY_RUN, { since: all.length, limit: 1_000 });
    all.push(...page.events);
    ({ hasMore } = page);
  }
  return all;
}

serveParent<LogReader>({
  read: () =>
    measureReading(Number(count), async () => (await readAll()).map(({ sequence }) => sequence)),
});
