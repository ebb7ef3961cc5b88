import { renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
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
