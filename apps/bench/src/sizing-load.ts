import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { APPEND_EVENT_BYTES, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { sampleEvent } from "./sample-event.ts";

/** A steady load of appends. */
export interface AppendsByHttp {
  readonly port: number;
  /** The runs `first` … `first + runs - 1` get the same number of events each, in turn. */
  readonly first: number;
  readonly runs: number;
  readonly events: number;
  readonly eventsASecond: number;
  /** So many are sent at once, and then none until as many are due. */
  readonly burst: number;
}

/** A process that appends by HTTP. */
export interface SizingLoad {
  /** Resolves when the last append is answered. @throws unless all are answered with 201 */
  append(load: AppendsByHttp): Promise<void>;
}

const PACE_MS = 1;
const CONNECTIONS = 64;

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const body = JSON.stringify({ events: [sampleEvent(APPEND_EVENT_BYTES)] });
const headers = { "content-type": "application/json", "content-length": body.length };

async function appendOne(port: number, runId: string): Promise<void> {
  const path = `/v1/agent-runs/${runId}/events`;
  const sent = request({ host: "127.0.0.1", port, path, method: "POST", agent, headers });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const answered = await text(answer);
  if (answer.statusCode !== 201) throw new Error(answered);
}

serveParent<SizingLoad>({
  async append({ port, first, runs, events, eventsASecond, burst }) {
    const beganAt = performance.now();
    const appends: Promise<void>[] = [];
    while (appends.length < events) {
      const bursts = (performance.now() - beganAt) * (eventsASecond / 1_000 / burst);
      const due = Math.min(Math.ceil(bursts) * burst, events);
      while (appends.length < due) {
        appends.push(appendOne(port, runIdOf(first + (appends.length % runs))));
      }
      await setTimeout(PACE_MS);
    }
    await Promise.all(appends);
  },
});
