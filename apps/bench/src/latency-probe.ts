import { once } from "node:events";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { json, text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { APPEND_EVENT_BYTES, runIdOf } from "./append-writer.ts";
import { streamPath } from "./run-server.ts";
import { sampleEvent } from "./sample-event.ts";

/** From the beginning of an append's request to the event's last byte at a reader, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Appends at one server and reads at another; both clocks are this process's own. */
export interface Probe {
  /**
   * Appends so many events, each when the one before has arrived and a pause has passed.
   * @throws unless every event arrives once and in order
   */
  measure(appends: number, pauseMs: number): Promise<Latency>;
  close(): void;
}

interface Arrival {
  readonly sequence: number;
  readonly at: number;
}

/** Opens the live stream of the first run at one server, to append to it at the other. */
export async function openProbe(appendPort: number, streamPort: number): Promise<Probe> {
  const agent = new Agent({ keepAlive: true });
  const body = JSON.stringify({ events: [sampleEvent(APPEND_EVENT_BYTES)] });
  const stream = get({ host: "127.0.0.1", port: streamPort, path: streamPath(runIdOf(0)) });
  const [opened] = (await once(stream, "response")) as [IncomingMessage];
  if (opened.statusCode !== 200) throw new Error(await text(opened));
  let last = 0;
  let next = Promise.withResolvers<Arrival>();
  let rest = "";
  opened.setEncoding("utf8").on("data", (packet: string) => {
    const at = performance.now();
    const frames = (rest + packet).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      // `connected` has the cursor's, an event its own, a heartbeat none.
      const id = /^id: (\d+)$/m.exec(frame)?.[1];
      if (id !== undefined) next.resolve({ sequence: Number(id), at });
    }
  });
  const ended = once(opened, "close").then((): never => {
    throw new Error("The stream has ended.");
  });
  // Only an end that somebody waits behind is a failure.
  ended.catch(() => {});
  await Promise.race([next.promise, ended]);

  async function append(): Promise<number> {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const sent = request({
      host: "127.0.0.1",
      port: appendPort,
      path: `/v1/agent-runs/${runIdOf(0)}/events`,
      method: "POST",
      agent,
      headers,
    });
    sent.end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    if (answer.statusCode !== 201) throw new Error(await text(answer));
    return ((await json(answer)) as { readonly lastSequence: number }).lastSequence;
  }

  async function measureOne(): Promise<number> {
    next = Promise.withResolvers();
    const before = performance.now();
    const [appended, { sequence, at }] = await Promise.all([
      append(),
      Promise.race([next.promise, ended]),
    ]);
    if (appended !== last + 1 || sequence !== appended) {
      throw new Error(`After event ${last} came ${sequence}, and ${appended} was appended.`);
    }
    last = sequence;
    return at - before;
  }

  return {
    async measure(appends, pauseMs) {
      const times: number[] = [];
      for (let count = 0; count < appends; count++) {
        if (pauseMs > 0) await setTimeout(pauseMs);
        times.push(await measureOne());
      }
      times.sort((a, b) => a - b);
      const percentile = (part: number): number =>
        times[Math.ceil(part * times.length) - 1] ?? Number.NaN;
      return { p50: percentile(0.5), p99: percentile(0.99) };
    },
    close() {
      stream.destroy();
      agent.destroy();
    },
  };
}
