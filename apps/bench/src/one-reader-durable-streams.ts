import { DurableStreamTestServer } from "@durable-streams/server";
import { serveParent } from "./child.ts";
import { lastOf, nextEvents, OPENING } from "./fanout-events.ts";
import type { FanoutServer } from "./fanout-server.ts";
import { appendToAll, runIds } from "./one-reader-runs.ts";
import { readUsage } from "./rounds.ts";

// In memory, as its README begins: a stream of JSON a run.
const server = new DurableStreamTestServer({ port: 0 });
const encoder = new TextEncoder();

async function append(runId: string, json: string): Promise<void> {
  await server.store.append(`/${runId}`, encoder.encode(json));
}

serveParent<FanoutServer>({
  async listen() {
    const url = await server.start();
    for (const runId of runIds) {
      await server.store.create(`/${runId}`, { contentType: "application/json" });
      await append(runId, OPENING.json);
    }
    return Number(new URL(url).port);
  },
  async publish(count) {
    const events = nextEvents(count);
    for (const { json } of events) await appendToAll((runId) => append(runId, json));
    return lastOf(events);
  },
  usage: readUsage,
});
