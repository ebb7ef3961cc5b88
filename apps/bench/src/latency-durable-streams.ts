import { DurableStreamTestServer } from "@durable-streams/server";
import { serveParent } from "./child.ts";
import { DURABLE_STREAM_PATH, type LatencyServer } from "./latency-server.ts";

// As its README starts it, in memory.
const server = new DurableStreamTestServer({ port: 0, host: "127.0.0.1" });

serveParent<LatencyServer>({
  async listen() {
    const url = await server.start();
    const headers = { "content-type": "application/json" };
    const { status } = await fetch(`${url}${DURABLE_STREAM_PATH}`, { method: "PUT", headers });
    if (status !== 201) throw new Error(`The stream was not made: ${status}.`);
    return Number(new URL(url).port);
  },
});
