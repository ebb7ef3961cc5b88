import { EventEmitter } from "node:events";
import type { BareEvent } from "./bare-stream.ts";
import { serveBareLog } from "./latency-bare.ts";

const emitter = new EventEmitter<{ event: [BareEvent] }>();
let sequence = 0;

serveBareLog({
  async append(eventType, payload) {
    sequence += 1;
    emitter.emit("event", { sequence, eventType, payload, createdAtMs: Date.now() });
    return sequence;
  },
  async follow(onEvent) {
    emitter.on("event", onEvent);
  },
});
