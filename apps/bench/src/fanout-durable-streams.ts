import { DurableStreamTestServer } from "@durable-streams/server";
import { serveParent } from "./child.ts";
import { lastOf, nextEvents, OPENING } from "./fanout-events.ts";
import { type FanoutServer, FANOUT_RUN } from "./fanout-server.ts";
import { readUsage } from "./rounds.ts";

// In memory, as its README begins; a stream of JSON. Appended to in the process, as a run of ours is.
const server = new DurableStreamTestServer({ port: 0 });
const path = `/${FANOUT_RUN}`;
const encoder = new TextEncoder();

async function append(json: string): Promise<void> {
  await server.store.append(path, encoder.encode(json));
}

serveParent<FanoutServer>({
  async listen() {
    const url = await server.start();
    await server.store.create(path, { contentType: "application/json" });
    await append(OPENING.json);
    return Number(new URL(url).port);
  },
  async publish(count) {
    const events = nextEvents(count);
    await Promise.all(events.map(({ json }) => append(json)));
    return lastOf(events);
  },
  usage: readUsage,
});
