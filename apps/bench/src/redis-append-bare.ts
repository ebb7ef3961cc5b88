import { Redis } from "ioredis";
import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countKeyedEvents, createLog, keysOf } from "./redis-log.ts";
import { APPEND } from "./redis-script.ts";
import { sampleEvent } from "./sample-event.ts";

const PREFIX = "bare";

const redis = new Redis(process.argv[2] ?? "");
await (await createLog(redis, PREFIX)).close();
const sha1 = String(await redis.script("LOAD", APPEND));
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);

async function append(runId: string): Promise<void> {
  const { head, events, receipts, channel } = keysOf(PREFIX, runId);
  const values = [eventType, JSON.stringify(payload), crypto.randomUUID(), channel];
  const sequence = await redis.evalsha(sha1, 3, head, events, receipts, ...values);
  if (sequence === null) throw new Error(`There is no run ${runId}.`);
}

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, append),
  count: () => countKeyedEvents(redis, PREFIX),
});
