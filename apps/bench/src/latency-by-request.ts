import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { appendSpaced, type LatencyAppender } from "./latency-server.ts";
import { sampleEvent } from "./sample-event.ts";

/** What the body of an append is: a batch of events, or one event that has its sequence from its writer. */
export type AppendBody = "batch" | "event";

const [, , port = "", path = "", body = ""] = process.argv;
// One connection, so that requests are taken in their order.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const event = sampleEvent(APPEND_EVENT_BYTES);
let sequence = 0;

async function post(content: unknown): Promise<void> {
  const sent = request({ host: "127.0.0.1", port, path, method: "POST", agent });
  sent.setHeader("content-type", "application/json");
  sent.end(JSON.stringify(content));
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const said = await text(answer);
  if (answer.statusCode === undefined || answer.statusCode >= 300) throw new Error(said);
}

serveParent<LatencyAppender>({
  append: (load) =>
    appendSpaced(load, async () => {
      sequence += 1;
      const own = sequence;
      await post((body as AppendBody) === "batch" ? { events: [event] } : { sequence, ...event });
      return own;
    }),
});
