import { createServer } from "node:http";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { FANOUT_EVENT_BYTES, FANOUT_RUN, serveFanout } from "./fanout-server.ts";
import { sampleEvent } from "./sample-event.ts";

const ownerId = "reader";
const runs = createRunEvents({ store: createMemoryStore() });
await runs.create({ runId: FANOUT_RUN, ownerId });
const handler = createNodeHandler({
  runs,
  authenticate: () => ({ userId: ownerId, credential: "session" }),
  maxStreamsPerUser: Number.POSITIVE_INFINITY,
});
const event = sampleEvent(FANOUT_EVENT_BYTES);

serveFanout(
  createServer((request, response) => handler.handle(request, response)),
  async (events) => {
    const batch = Array.from({ length: events }, () => event);
    return (await runs.append(FANOUT_RUN, batch)).lastSequence;
  },
);
