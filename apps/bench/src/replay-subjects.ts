import { once } from "node:events";
import { createServer } from "node:http";
import { createRunEvents, type EventDraft, type RunEvents } from "@tm/run-events-core";
import { runSubject } from "./child.ts";
import { OWNER, runIdOf } from "./run-ids.ts";
import { encodeEvent, encodeFrame, sampleEvent, STREAM_HEADERS } from "./sample-event.ts";
import { openStore, type StoreKind } from "./stores.ts";
import { createRunServer, serveTested } from "./tested-server.ts";

const EVENT = sampleEvent(300);
/** The most events of one append that fills a log. */
const BATCH_EVENTS = 1_000;

async function serveOurs(kind = "", location = "", events = ""): Promise<void> {
  const runs = createRunEvents({ store: await openStore(kind as StoreKind, location) });
  await fill(runs, Number(events));
  serveTested(createRunServer(runs, "session"), {});
}

/** Writes a run of this many events; the last one ends it. */
async function fill(runs: RunEvents, events: number): Promise<void> {
  const [runId, mine] = [runIdOf(0), { ownerId: OWNER }];
  await runs.create({ runId, ...mine });
  for (let left = events - 1; left > 0; left -= BATCH_EVENTS) {
    const batch = Array<EventDraft>(Math.min(left, BATCH_EVENTS)).fill(EVENT);
    await runs.append(runId, batch, mine);
  }
  await runs.append(runId, [{ eventType: "RUN_COMPLETED" }], mine);
}

/** The simplest way to replay rows: a log in memory, of which each event is encoded and written by itself. */
function serveSingly(events = ""): void {
  const rows = Array<string>(Number(events)).fill(JSON.stringify(EVENT.payload));
  const server = createServer((_request, response) => {
    void (async () => {
      response.writeHead(200, STREAM_HEADERS);
      response.write(encodeFrame('{"type":"connected"}', 0));
      let sequence = 0;
      for (const row of rows) {
        sequence += 1;
        const event = { eventType: EVENT.eventType, payload: JSON.parse(row) as unknown };
        const frame = encodeFrame(encodeEvent(event, sequence), sequence);
        if (!response.write(frame)) await once(response, "drain");
      }
      response.end();
    })();
  });
  serveTested(server, {});
}

await runSubject({ ours: serveOurs, singly: serveSingly });
