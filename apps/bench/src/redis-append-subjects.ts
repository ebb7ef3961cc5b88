import { Redis } from "ioredis";
import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { runSubject, serveParent } from "./child.ts";
import { countEvents, createLog, keysOf } from "./redis-log.ts";
import { sampleEvent } from "./sample-event.ts";

/**
 * The least that appends one event to the same keys: not after a terminal event, never back in time, the event with its
 * receipt, the head, and a message on the run's channel. KEYS: head, events, receipts. ARGV: type, payload, idempotency key,
 * channel. Answers the event's sequence, or nil.
 */
const APPEND = `
local head = redis.call('HMGET', KEYS[1], 'lastSequence', 'updatedAtMs', 'finishedAtMs')
if not head[1] or head[3] then return false end
local time = redis.call('TIME')
local now = string.format('%.0f', math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(head[2])))
local sequence = string.format('%.0f', head[1] + 1)
redis.call('XADD', KEYS[2], sequence .. '-0', 'eventType', ARGV[1], 'payload', ARGV[2], 'createdAtMs', now)
redis.call('HSET', KEYS[3], ARGV[3], sequence .. '-' .. sequence)
redis.call('HSET', KEYS[1], 'lastSequence', sequence, 'updatedAtMs', now)
redis.call('PUBLISH', ARGV[4], '')
return sequence
`;

const event = sampleEvent(APPEND_EVENT_BYTES);

await runSubject({
  async ours(url = "") {
    const redis = new Redis(url);
    const runs = await createLog(redis, "ours");
    serveParent<AppendWriter>({
      append: (load) => appendTogether(load, (runId) => runs.append(runId, [event])),
      count: () => countEvents(redis, "ours"),
    });
  },
  async bare(url = "") {
    const redis = new Redis(url);
    await (await createLog(redis, "bare")).close();
    const sha1 = String(await redis.script("LOAD", APPEND));
    const { eventType, payload } = event;
    serveParent<AppendWriter>({
      append: (load) =>
        appendTogether(load, async (runId) => {
          const { head, events, receipts, channel } = keysOf("bare", runId);
          const values = [eventType, JSON.stringify(payload), crypto.randomUUID(), channel];
          const sequence = await redis.evalsha(sha1, 3, head, events, receipts, ...values);
          if (sequence === null) throw new Error(`There is no run ${runId}.`);
        }),
      count: () => countEvents(redis, "bare"),
    });
  },
});
