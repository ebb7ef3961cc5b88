import { startTcpProxy, type TcpProxy } from "@tm/run-events-test-servers";
import { createClient } from "@tm/run-events-client/runs";
import type { RunEvent } from "@tm/run-events-core";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, readLog } from "./api.ts";
import { type Fleet, PROXIES, startFleet } from "./outgrowing-fleet.ts";
import { TOKEN } from "./server-process.ts";

const WRITERS = 20;
/** Ends a test that hangs. */
const PATIENCE = { timeout: 30_000 };

/**
 * Programs that append without end, each to its own run. Each sends an append again under its key until it is acknowledged, as the
 * client does.
 */
interface Writers {
  /** The number of acknowledged appends of each. */
  acks(): readonly number[];
  stop(): Promise<void>;
}

async function startWriters({ url }: Fleet): Promise<Writers> {
  const client = createClient({ baseUrl: url, credential: { bearer: TOKEN }, patienceMs: 60_000 });
  const acks = Array.from({ length: WRITERS }, () => 0);
  let isOver = false;
  const writing = acks.map(async (_, writer) => {
    await client.create({ runId: `writer-${writer}` });
    for (let step = 0; !isOver; step++) {
      const events = [{ eventType: "STEP", payload: step }];
      await client.append(`writer-${writer}`, events, { idempotencyKey: `${step}` });
      acks[writer] = step + 1;
    }
  });
  return {
    acks: () => [...acks],
    async stop() {
      isOver = true;
      await Promise.all(writing);
    },
  };
}

/** Waits until every writer has an acknowledgement that it did not have before. */
async function untilEachGoesOn(writers: Writers): Promise<void> {
  const before = writers.acks();
  const behind = (): number =>
    writers.acks().filter((count, writer) => count < (before[writer] ?? 0) + 2).length;
  await expect.poll(behind, PATIENCE).toBe(0);
}

async function expectEachOnce({ url }: Fleet, writers: Writers): Promise<void> {
  for (const [writer, count] of writers.acks().entries()) {
    const log: readonly RunEvent[] = await readLog(url, `writer-${writer}`);
    expect(log.map(({ payload }) => payload)).toEqual(Array.from({ length: count }, (_, at) => at));
  }
}

async function setReadOnly(storeUrl: string, isReadOnly: boolean): Promise<void> {
  const client = new Client({ connectionString: storeUrl });
  await client.connect();
  await client.query("SET default_transaction_read_only = off");
  const value = isReadOnly ? "on" : "off";
  await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}

interface Fault {
  readonly name: string;
  begin(fleet: Fleet, line: TcpProxy): void;
  end(fleet: Fleet, line: TcpProxy): void;
}

const FAULTS: readonly Fault[] = [
  {
    name: "is cut off from its store",
    begin: (_, line) => line.stall(),
    end: (_, line) => line.resume(),
  },
  {
    name: "hangs",
    begin: ({ servers }) => servers[0].freeze(true),
    end: ({ servers }) => servers[0].freeze(false),
  },
];

describe.each(["nginx", "HAProxy"] as const)("the guide's %s", (proxy) => {
  it.each(FAULTS)(
    "W3: every writer goes on while one of two servers $name, and each append lands once",
    async ({ begin, end }) => {
      const lines: TcpProxy[] = [];
      const fleet = await startFleet({
        proxy,
        async firstStore(storeUrl) {
          const { hostname: host, port } = new URL(storeUrl);
          const line = await startTcpProxy({ to: { host, port: Number(port) } });
          onTestFinished(() => line.close());
          lines.push(line);
          return storeUrl.replace(`:${port}/`, `:${line.port}/`);
        },
      });
      const [line] = lines;
      if (line === undefined) throw new TypeError("Expected a line to the store");
      const writers = await startWriters(fleet);
      await untilEachGoesOn(writers);
      begin(fleet, line);
      await untilEachGoesOn(writers);
      // Writers also go on after the proxy has tried that server again.
      await untilEachGoesOn(writers);
      end(fleet, line);
      await untilEachGoesOn(writers);
      await writers.stop();
      await expectEachOnce(fleet, writers);
    },
  );

  it("W30: a poll is answered while no server is ready", async () => {
    const fleet = await startFleet({ proxy });
    await call(fleet.url, "POST", "/v1/agent-runs", { runId: "kept" });
    await setReadOnly(fleet.storeUrl, true);
    const readyOf = async (): Promise<readonly number[]> =>
      Promise.all(fleet.servers.map(async ({ url }) => (await fetch(`${url}/readyz`)).status));
    await expect.poll(readyOf, PATIENCE).toEqual([503, 503]);
    const append = { events: [{ eventType: "NOTE" }] };
    for (let looks = 0; looks < 50; looks++) {
      const path = "/v1/agent-runs/kept/events";
      const refused = await call(fleet.url, "POST", path, append, { "idempotency-key": "k" });
      expect(refused).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
      expect((await call(fleet.url, "GET", path)).status).toBe(200);
    }
    await setReadOnly(fleet.storeUrl, false);
    const appended = async (): Promise<number> =>
      (await call(fleet.url, "POST", "/v1/agent-runs/kept/events", append)).status;
    await expect.poll(appended, PATIENCE).toBe(201);
  });

  it("W28: its configuration has room for the streams of two servers", () => {
    const { config } = PROXIES[proxy];
    const numberOf = (name: string): number =>
      Number(new RegExp(`\\b${name} (\\d+)`).exec(config)?.[1]);
    const streams = 2 * 20_000;
    if (proxy === "HAProxy") expect(numberOf("maxconn")).toBeGreaterThan(streams);
    else {
      expect(numberOf("worker_connections")).toBeGreaterThan(2 * streams);
      expect(numberOf("worker_rlimit_nofile")).toBeGreaterThan(numberOf("worker_connections"));
    }
  });
});
