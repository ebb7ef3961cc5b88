import { serveResponses } from "./fanout-bare-server.ts";
import { frameOf } from "./fanout-events.ts";

// The least that fans out: one buffer for all.
serveResponses((events, responses) => {
  for (const event of events) {
    const frame = Buffer.from(frameOf(event));
    for (const response of responses) response.write(frame);
  }
});
