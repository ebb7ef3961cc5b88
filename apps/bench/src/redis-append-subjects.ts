import { Redis } from "ioredis";
import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether, OWNER } from "./append-writer.ts";
import { runSubject, serveParent } from "./child.ts";
import { countEvents, createLog, keysOf } from "./redis-log.ts";
import { sampleEvent } from "./sample-event.ts";

/**
 * The least that appends one event to the same keys: not after a terminal event, never back in time, the event with its
 * receipt, the head, and a message on the run's channel, which has the name of the head. KEYS: head, events, receipts. ARGV: type, payload,
 * idempotency key. Answers the event's sequence, or nil.
 */
const APPEND = `
local head = redis.call('GET', KEYS[1]) or ''
local ordinal, revision, last, updated, rest, status = string.match(head, '^(%d+) (%d+) (%d+) (%d+)( %d+ %d* %d+ (%l+) .*)$')
if not last or status == 'completed' or status == 'failed' or status == 'cancelled' then return false end
local time = redis.call('TIME')
local now = string.format('%.0f', math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(updated)))
local sequence = string.format('%.0f', last + 1)
redis.call('XADD', KEYS[2], sequence .. '-0', 't', ARGV[1], 'p', ARGV[2], 'c', now)
redis.call('HSET', KEYS[3], ARGV[3], sequence .. '-' .. sequence .. ' running ')
redis.call('SET', KEYS[1], ordinal .. string.format(' %.0f ', revision + 1) .. sequence .. ' ' .. now .. rest)
redis.call('PUBLISH', KEYS[1], '')
return sequence
`;

const event = sampleEvent(APPEND_EVENT_BYTES);

await runSubject({
  async ours(url = "") {
    const redis = new Redis(url);
    const runs = await createLog(redis, "ours");
    serveParent<AppendWriter>({
      append: (load) => appendTogether(load, (runId) => runs.as(OWNER).append(runId, [event])),
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
          const { head, events, receipts } = keysOf("bare", OWNER, runId);
          const values = [eventType, JSON.stringify(payload), crypto.randomUUID()];
          const sequence = await redis.evalsha(sha1, 3, head, events, receipts, ...values);
          if (sequence === null) throw new Error(`There is no run ${runId}.`);
        }),
      count: () => countEvents(redis, "bare"),
    });
  },
});
