import { EventEmitter } from "node:events";
import { runIdOf } from "./append-writer.ts";
import type { BareEvent } from "./bare-stream.ts";
import { serveBareLog } from "./latency-bare.ts";
import { prepareAppend } from "./sqlite-bare.ts";
import { createLog } from "./sqlite-log.ts";

const { database } = await createLog(process.argv[2] ?? "");
const appendOne = prepareAppend(database);
const append = database.transaction(appendOne);
const emitter = new EventEmitter<{ event: [BareEvent] }>();

serveBareLog({
  async append(eventType, payload) {
    const createdAtMs = Date.now();
    const sequence = append.immediate(runIdOf(0), { eventType, payload, createdAtMs });
    emitter.emit("event", { sequence, eventType, payload, createdAtMs });
    return sequence;
  },
  async follow(onEvent) {
    emitter.on("event", onEvent);
  },
});
