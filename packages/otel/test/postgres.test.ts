import { createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import type { Telemetry } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import {
  type PostgresServer,
  startPostgres,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { createSdk } from "./sdk.ts";

const UP = "run_events.notifications.up";
const LOST = "run_events.notifications.lost";
const MISSED = "run_events.notifications.missed";
const PATIENT = { timeout: 15_000, interval: 20 };

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.close());

async function openRuns(port: number, telemetry: Telemetry = {}): Promise<OwnedRuns> {
  const url = new URL(server.url);
  url.port = String(port);
  const pool = new pg.Pool({ connectionString: url.href });
  // Tests break connections; the next use of one fails with this error.
  pool.on("error", () => {});
  const store = createPostgresStore(pool);
  const runs = createRunEvents({ store, telemetry });
  onTestFinished(async () => {
    await runs.close();
    await pool.end();
  });
  await store.migrate();
  return runs.as("ada");
}

/** A run that a process follows through a proxy, and to which another one appends. */
async function followRun(telemetry: Telemetry): Promise<{
  readonly proxy: TcpProxy;
  readonly payloads: readonly unknown[];
  append(payload: unknown): Promise<unknown>;
}> {
  const proxy = await startTcpProxy({ to: server });
  onTestFinished(() => proxy.close());
  const runs = await openRuns(proxy.port, telemetry);
  const others = await openRuns(server.port);
  const { runId } = await others.create();
  const payloads: unknown[] = [];
  const end = new AbortController();
  onTestFinished(() => end.abort());
  void (async () => {
    for await (const { payload } of runs.tail(runId, { signal: end.signal }))
      payloads.push(payload);
  })().catch(() => {});
  return {
    proxy,
    payloads,
    append: (payload) => others.append(runId, [{ eventType: "A", payload }]),
  };
}

it("S13: a lost connection for notifications is counted, and how long it was down", async () => {
  const { telemetry, total, points } = createSdk();
  const { payloads, append } = await followRun(telemetry);
  await expect.poll(() => total(UP), PATIENT).toBe(1);
  expect(await points(LOST)).toStrictEqual([]);
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'",
  );
  await admin.end();
  await expect.poll(() => total(LOST), PATIENT).toBe(1);
  await append(1);
  await expect.poll(() => payloads, PATIENT).toStrictEqual([1]);
  await expect.poll(() => total(UP), PATIENT).toBe(1);
  expect(await total("run_events.notifications.down.duration")).toBe(1);
  // Commits that polls find meanwhile do not count as missed.
  expect(await points(MISSED)).toStrictEqual([]);
});

it("S13: a notification that is lost on the way is counted, and its reader gets the event", async () => {
  const { telemetry, total, points } = createSdk();
  const { proxy, payloads, append } = await followRun(telemetry);
  await expect.poll(() => total(UP), PATIENT).toBe(1);
  await append(1);
  await expect.poll(() => payloads, PATIENT).toStrictEqual([1]);
  proxy.dropNotifications("postgres");
  // The first poll only learns where the run is.
  for (let value = 2; (await total(MISSED)) === 0; value += 1) {
    await append(value);
    await expect.poll(() => payloads, PATIENT).toHaveLength(value);
  }
  expect(await points(MISSED)).toMatchObject([{ attributes: { "run_events.found_by": "poll" } }]);
  expect(payloads).toStrictEqual(payloads.map((_, index) => index + 1));
});
