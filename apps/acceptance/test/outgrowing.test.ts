import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import type { RunEvent } from "@tm/run-events-core";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ownedByAll } from "../../server/test/start-server.ts";
import { call, type Page, readLog, signIn } from "./api.ts";
import { EVERY_CLIENT } from "./clients/every-client.ts";
import { eventSource } from "./clients/eventsource.ts";
import { readDelivered } from "./delivered-run.ts";
import { openStream } from "./open-stream.ts";
import { type Fleet, startFleet } from "./outgrowing-fleet.ts";
import { startWorker, type Worker } from "./outgrowing-worker.ts";
import { TOKEN } from "./server-process.ts";
import type { Following, StreamClient } from "./stream-client.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 60_000 };
const LONG_MS = 180_000;
const STEPS = 120;
/** Without the clients that take an id early: when a server dies, nginx may have passed on half a frame. */
const CLIENTS = EVERY_CLIENT.filter(({ takesIdEarly }) => !takesIdEarly);

function follow(client: StreamClient, url: string, runId: string, cookie: string): Following {
  const following = client.follow({ url: `${url}/v1/agent-runs/${runId}/stream`, cookie }, true);
  onTestFinished(() => following.stop());
  return following;
}

/** Reads pages up to the one that says that the run has ended. When a server dies, nginx asks the other: no poll fails. */
async function pollToTheEnd(url: string, runId: string): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const since = events.at(-1)?.sequence ?? 0;
    const path = `/v1/agent-runs/${runId}/events?since=${since}&limit=10&wait=5`;
    const { status, body } = await call(url, "GET", path);
    expect(status).toBe(200);
    const page = body as Page;
    events.push(...page.events);
    if (page.runStatus === "completed") return events;
  }
}

async function streamsOf(serverUrl: string): Promise<number> {
  const { body } = await call(serverUrl, "GET", "/metrics");
  return Number(/^run_events_streams_open (\d+)$/m.exec(body as string)?.[1]);
}

describe("a fleet whose servers keep running", () => {
  const owner = ownedByAll();
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({ owner });
  });

  it("W30: the guide's nginx hides the operators' pages from the public", async () => {
    const { url, servers } = fleet;
    for (const path of ["/metrics", "/readyz"]) {
      for (const asked of [path, `${path}?x=1`, `/${path}`, path.replace("e", "%65")]) {
        expect((await fetch(url + asked)).status, asked).toBe(404);
      }
      for (const server of servers) expect((await fetch(server.url + path)).status).toBe(200);
    }
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it("W12, W21: each frame comes through nginx as it is sent, and each line as it is written", async () => {
    const { url } = fleet;
    await call(url, "POST", "/v1/agent-runs", { runId: "lines" });
    const stream = await openStream(url, "lines", await signIn(url));
    expect((await stream.next()).value).toMatchObject({ type: "connected" });
    const upload = request(`${url}/v1/agent-runs/lines/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/x-ndjson" },
    });
    onTestFinished(() => void upload.destroy());
    const answered = once(upload, "response");
    for (let sequence = 1; sequence <= 20; sequence++) {
      // Upload and stream are still open: a buffer of any size on the way would keep back the awaited frame.
      upload.write(`{"eventType":"STEP","payload":${sequence}}\n`);
      let frame = await stream.next();
      while (frame.value?.type === "status") frame = await stream.next();
      expect(frame.value).toMatchObject({ type: "run_event", event: { sequence } });
    }
    upload.end();
    const [response] = (await answered) as [Parameters<typeof text>[0]];
    expect(JSON.parse(await text(response))).toMatchObject({ firstSequence: 1, lastSequence: 20 });
  });

  it("W9: nginx lets the largest body through", async () => {
    const { url } = fleet;
    await call(url, "POST", "/v1/agent-runs", { runId: "large" });
    const events = Array.from({ length: 15 }, () => ({
      eventType: "STEP",
      payload: "x".repeat(262_000),
    }));
    const { status } = await call(url, "POST", "/v1/agent-runs/large/events", { events });
    expect(status).toBe(201);
  });
});

it(
  "S1, S13, W23: two servers and two workers behind one nginx, and one server killed in the middle: every reader has the whole run once",
  async () => {
    const { url, storeUrl, servers } = await startFleet();
    const workers = await Promise.all([startWorker(storeUrl), startWorker(storeUrl)]);
    const runIds = ["first", "second", "shared"];
    for (const runId of runIds) await call(url, "POST", "/v1/agent-runs", { runId });
    const cookie = await signIn(url);
    const streams = runIds.flatMap((runId) =>
      CLIENTS.map((client) => ({ runId, following: follow(client, url, runId, cookie) })),
    );
    const pollers = runIds.map((runId) => pollToTheEnd(url, runId));
    await expect
      .poll(() => streams.filter(({ following }) => following.delivered.length === 0), PATIENCE)
      .toEqual([]);
    for (const server of servers) expect(await streamsOf(server.url)).toBeGreaterThan(0);

    let steps = 0;
    const { promise: halfway, resolve } = Promise.withResolvers<void>();
    async function work(worker: Worker, ownRun: string): Promise<void> {
      for (let step = 1; step <= STEPS; step++) {
        const runId = step % 2 === 0 ? "shared" : ownRun;
        await worker.append(runId, "STEP", { by: ownRun, step });
        if (++steps === STEPS) resolve();
      }
      await worker.append(ownRun, "RUN_COMPLETED", null);
    }
    const working = Promise.all([work(workers[0], "first"), work(workers[1], "second")]);
    await Promise.race([halfway, working]);
    await servers[0].kill();
    await working;
    await workers[0].append("shared", "RUN_COMPLETED", null);
    expect(await Promise.all(workers.map((worker) => worker.finish()))).toEqual([0, 0]);

    const log = new Map<string, readonly RunEvent[]>();
    for (const runId of runIds) log.set(runId, await readLog(url, runId));
    expect([...log.values()].map(({ length }) => length)).toEqual([
      STEPS / 2 + 1,
      STEPS / 2 + 1,
      STEPS + 1,
    ]);
    for (const events of log.values()) {
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    }
    expect(await Promise.all(pollers)).toEqual([...log.values()]);
    let connects = 0;
    for (const { runId, following } of streams) {
      expect(await following.ended).toBe("left");
      const { events, counts } = readDelivered(following.delivered);
      expect(events).toEqual(log.get(runId));
      connects += counts["connected"] ?? 0;
    }
    expect(connects).toBeGreaterThan(streams.length);
  },
  LONG_MS,
);

it(
  "W24: an EventSource outlasts the absence of every server",
  async () => {
    const { url, servers, restart } = await startFleet();
    await call(url, "POST", "/v1/agent-runs", { runId: "r" });
    const following = follow(eventSource, url, "r", await signIn(url));
    await expect.poll(() => following.delivered.length, PATIENCE).toBeGreaterThan(0);
    await Promise.all(servers.map((server) => server.kill()));
    await expect
      .poll(() => readDelivered(following.delivered).counts, PATIENCE)
      .toHaveProperty("store_unavailable");
    await Promise.all([restart(0), restart(1)]);
    const events = [{ eventType: "RUN_COMPLETED" }];
    await call(servers[0].url, "POST", "/v1/agent-runs/r/events", { events });
    expect(await following.ended).toBe("left");
    expect(readDelivered(following.delivered).events).toMatchObject([{ sequence: 1 }]);
  },
  LONG_MS,
);
