import { serveResponses } from "./fanout-bare-server.ts";
import { frameOf } from "./fanout-events.ts";

// The least that delivers: each response has its own event, encoded for it.
serveResponses((events, responses) => {
  for (const response of responses) {
    for (const event of events) response.write(Buffer.from(frameOf(event)));
  }
});
