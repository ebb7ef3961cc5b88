import { Redis } from "ioredis";
import { appendInGrid, GRID_RUNS, type GridWriter } from "./append-grid-writer.ts";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countEvents, createLog, keysOf } from "./redis-log.ts";
import { APPEND_BATCH } from "./redis-script.ts";
import { sampleEvent } from "./sample-event.ts";

const PREFIX = "bare";

const redis = new Redis(process.argv[2] ?? "");
await (await createLog(redis, PREFIX, GRID_RUNS)).close();
const sha1 = String(await redis.script("LOAD", APPEND_BATCH));
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);

async function append(runId: string, batch: number): Promise<void> {
  const { head, events, receipts, channel } = keysOf(PREFIX, runId);
  const values = [crypto.randomUUID(), channel];
  for (let event = 0; event < batch; event++) values.push(eventType, JSON.stringify(payload));
  const last = await redis.evalsha(sha1, 3, head, events, receipts, ...values);
  if (last === null) throw new Error(`There is no run ${runId}.`);
}

serveParent<GridWriter>({
  append: (load) => appendInGrid(load, append),
  count: () => countEvents(redis, PREFIX, GRID_RUNS),
});
