import { renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { Client } from "pg";
import { describe, expect, it, type TestContext } from "vitest";
import { call } from "./client.ts";
import { ADA, makeTempFolder, type ServerProcess, startServer } from "./start-server.ts";

// The server checks its store every few seconds. The tests wait for that at the same time.

/** Bounds a hang: each wait ends with what it waits for. */
const PATIENCE = { timeout: 40_000 };

/** A fault of a store: how the stall begins, and how it ends. */
interface Trouble {
  begin(): Promise<unknown> | void;
  end(): Promise<unknown> | void;
}

async function readyOf({ url }: ServerProcess): Promise<{ status: number; detail: unknown }> {
  const response = await fetch(`${url}/readyz`);
  const detail =
    response.status === 200 ? null : ((await response.json()) as { detail: string }).detail;
  return { status: response.status, detail };
}

async function metricOf({ url }: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^run_events_${name} ([\\d.]+)$`, "m").exec(text)?.[1]);
}

function eventsOf(server: ServerProcess): readonly { event: string; message?: string }[] {
  const lines = server.stderr().split("\n").filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as { event: string })
    .filter(({ event }) => event.startsWith("appends_"));
}

/** Expects the server to report a stall with its reason, and then its end, in one log line each. */
async function expectToSaySo(
  test: TestContext,
  storeUrl: string,
  trouble: Trouble,
  why: RegExp,
): Promise<void> {
  const { expect } = test;
  const server = await startServer({ STORE_URL: storeUrl, DRAIN_MS: "0" }, undefined, test);
  expect(await readyOf(server)).toEqual({ status: 200, detail: null });
  expect(await metricOf(server, "store_ready")).toBe(1);
  expect(await metricOf(server, "store_probe_seconds")).toBeGreaterThanOrEqual(0);
  await trouble.begin();
  await expect
    .poll(() => readyOf(server), PATIENCE)
    .toEqual({ status: 503, detail: expect.stringMatching(why) });
  await expect.poll(() => metricOf(server, "store_ready"), PATIENCE).toBe(0);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  await trouble.end();
  await expect.poll(() => readyOf(server), PATIENCE).toEqual({ status: 200, detail: null });
  const created = await call(`${server.url}/v1/agent-runs`, ADA, "POST", { runId: "after" });
  expect(created.status).toBe(201);
  expect(await metricOf(server, "store_ready")).toBe(1);
  expect(await metricOf(server, "store_stalls_total")).toBe(1);
  expect(eventsOf(server)).toMatchObject([
    { event: "appends_stalled", message: expect.stringMatching(why) },
    { event: "appends_back", stalledMs: expect.any(Number) },
  ]);
  // One line each, however often readiness is asked for meanwhile.
  expect(server.stderr()).not.toContain("request_failed");
}

describe.concurrent("readyz on SQLite", () => {
  async function fileOf(test: TestContext): Promise<string> {
    return join(await makeTempFolder(test), "runs.db");
  }

  it("W30, S31: readyz is 503 while another process holds the file's lock, and 200 again after", async (test) => {
    const file = await fileOf(test);
    const other = new DatabaseSync(file);
    test.onTestFinished(() => other.close());
    const trouble = {
      begin: () => other.exec("BEGIN IMMEDIATE"),
      end: () => other.exec("ROLLBACK"),
    };
    await expectToSaySo(test, `sqlite:${file}`, trouble, /did not answer|locked/);
  });

  it("W30, S31: readyz is 503 while the file is missing, and 200 once it is back", async (test) => {
    const file = await fileOf(test);
    const trouble = {
      begin: () => renameSync(file, `${file}.away`),
      end: () => renameSync(`${file}.away`, file),
    };
    await expectToSaySo(test, `sqlite:${file}`, trouble, /was removed or replaced/);
  });

  it("W30: the metrics have the size of the -wal file", async (test) => {
    const server = await startServer(
      { STORE_URL: `sqlite:${await fileOf(test)}` },
      undefined,
      test,
    );
    expect(await metricOf(server, "store_wal_bytes")).toBeGreaterThan(0);
    const memory = await startServer({}, undefined, test);
    expect(await (await fetch(`${memory.url}/metrics`)).text()).not.toContain("wal_bytes");
  });
});

describe.concurrent("readyz on Postgres", () => {
  async function postgresOf(test: TestContext): Promise<{
    readonly url: string;
    set(name: string, value: string): Promise<void>;
  }> {
    const postgres = await startPostgres();
    test.onTestFinished(() => postgres.close());
    const url = await postgres.createDatabase();
    return {
      url,
      async set(name, value) {
        const client = new Client({ connectionString: postgres.url });
        await client.connect();
        await client.query(`SET transaction_read_only = off`);
        await client.query(`ALTER SYSTEM SET ${name} = ${value}`);
        await client.query("SELECT pg_reload_conf()");
        await client.end();
      },
    };
  }

  it("W30, S31: readyz is 503 while the database is read-only, and 200 again after", async (test) => {
    const { url, set } = await postgresOf(test);
    const trouble = {
      begin: () => set("default_transaction_read_only", "on"),
      end: () => set("default_transaction_read_only", "off"),
    };
    await expectToSaySo(test, url, trouble, /read-only/);
  });

  it("W30, S31: readyz is 503 while commits wait for a standby that has gone, and 200 again after", async (test) => {
    const { url, set } = await postgresOf(test);
    const trouble = {
      begin: () => set("synchronous_standby_names", "'gone'"),
      end: () => set("synchronous_standby_names", "''"),
    };
    await expectToSaySo(test, url, trouble, /did not answer|timeout/i);
  });
});

describe.concurrent("readyz on Redis", () => {
  it("W30, S31: readyz is 503 while the Redis is a replica, and 200 again after", async (test) => {
    const redis = await startRedis({ settings: ["--appendfsync", "always"] });
    test.onTestFinished(() => redis.close());
    const master = await startRedis();
    test.onTestFinished(() => master.close());
    const client = new Redis(redis.url);
    test.onTestFinished(() => client.disconnect());
    const trouble = {
      begin: () => client.call("REPLICAOF", "127.0.0.1", `${master.port}`),
      end: () => client.call("REPLICAOF", "NO", "ONE"),
    };
    await expectToSaySo(test, redis.url, trouble, /read-only replica/);
  });

  it("W30, S31: readyz is 503 while the Redis is paused, and 200 again after", async (test) => {
    const redis = await startRedis({ settings: ["--appendfsync", "always"] });
    test.onTestFinished(() => redis.close());
    const client = new Redis(redis.url);
    const pid = Number(/^process_id:(\d+)/m.exec(await client.info("server"))?.[1]);
    client.disconnect();
    const trouble = {
      begin: () => void process.kill(pid, "SIGSTOP"),
      end: () => void process.kill(pid, "SIGCONT"),
    };
    await expectToSaySo(test, redis.url, trouble, /(does|did) not answer/);
  });
});
