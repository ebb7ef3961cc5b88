import { describeHost } from "../probe/describe-host.ts";
import { startWorker } from "../probe/start-worker.ts";

describeHost({
  name: "Durable Object",
  packages: ["workerd"],
  start: () => startWorker("durable-object.mjs", "RunEvents"),
  exitCode: null,
  own: {
    "held poll, left": "when its wait is over",
    "SSE left": "at the next heartbeat",
    SIGTERM: "ends at once",
  },
});
