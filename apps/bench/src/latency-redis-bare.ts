import { Redis } from "ioredis";
import { runIdOf } from "./append-writer.ts";
import { serveBareLog } from "./latency-bare.ts";
import { createLog, keysOf } from "./redis-log.ts";
import { APPEND } from "./redis-script.ts";

const PREFIX = "bare";

const [, , url = ""] = process.argv;
const redis = new Redis(url);
await (await createLog(redis, PREFIX, 1)).close();
const { head, events, receipts, channel } = keysOf(PREFIX, runIdOf(0));
const sha1 = String(await redis.script("LOAD", APPEND));

serveBareLog({
  async append(eventType, payload) {
    const values = [eventType, payload, crypto.randomUUID(), channel];
    return Number(await redis.evalsha(sha1, 3, head, events, receipts, ...values));
  },
  async follow(onEvent) {
    let since = 0;
    async function readOn(): Promise<void> {
      for (const [id, fields] of await redis.xrange(events, `${since + 1}-0`, "+")) {
        const sequence = Number(id.split("-")[0]);
        if (sequence <= since) continue;
        since = sequence;
        const [, eventType = "", , payload = "", , createdAtMs] = fields;
        onEvent({ sequence, eventType, payload, createdAtMs: Number(createdAtMs) });
      }
    }
    const subscriber = new Redis(url);
    subscriber.on("message", () => void readOn());
    await subscriber.subscribe(channel);
  },
});
