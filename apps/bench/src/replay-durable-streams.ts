import { DurableStreamTestServer } from "@durable-streams/server";
import { serveParent } from "./child.ts";
import { BATCH_EVENTS, REPLAY_EVENT_BYTES, REPLAY_TIME_MS } from "./replay-log.ts";
import type { ReplayServer } from "./replay-server.ts";
import { readUsage } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , folder = "", count = ""] = process.argv;
const server = new DurableStreamTestServer({
  port: 0,
  host: "127.0.0.1",
  ...(folder === "" ? {} : { dataDir: folder }),
});
await server.start();
const url = new URL("/run", server.url);

async function send(method: "PUT" | "POST", body: string | null): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method, headers, body });
  if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
}

/** Events as ours says them, so that both send the same JSON. */
const { eventType, payload } = sampleEvent(REPLAY_EVENT_BYTES);
const createdAt = new Date(REPLAY_TIME_MS).toISOString();
await send("PUT", null);
for (let first = 1; first <= Number(count); first += BATCH_EVENTS) {
  const length = Math.min(BATCH_EVENTS, Number(count) - first + 1);
  const batch = Array.from({ length }, (_, index) => ({
    sequence: first + index,
    eventType,
    payload,
    createdAt,
  }));
  await send("POST", JSON.stringify(batch));
}

serveParent<ReplayServer>({ listen: async () => Number(url.port), usage: readUsage });
