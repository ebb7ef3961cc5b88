import { join } from "node:path";
import { createRunEvents } from "@tm/run-events-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { kitStore } from "../../../packages/conformance/src/kit-store.ts";
import { openStore } from "../src/open-store.ts";
import { startServer as startWithin } from "../src/server.ts";
import { parseSettings, type Settings } from "../src/settings.ts";
import type { StoreUrl } from "../src/store-url.ts";
import { WORKSPACE } from "../src/workspace/surroundings.ts";
import { call, openStream, signIn } from "./client.ts";
import { ADA, makeTempFolder, type ServerProcess, startServer } from "./start-server.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 30_000 };
const AT_ONCE = { LEASE_GRACE_MS: "0", REAP_INTERVAL_MS: "20", DRAIN_MS: "0" };

/** The runs that a server has ended, by its log. */
function endedBy({ stderr }: Pick<ServerProcess, "stderr">): readonly string[] {
  return stderr()
    .split("\n")
    .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as Record<string, string>] : []))
    .flatMap(({ event, runId = "" }) => (event === "run_expired" ? [runId] : []));
}

const metricsOf = async ({ url }: ServerProcess): Promise<string> =>
  (await fetch(`${url}/metrics`)).text();

/** A file of runs whose leases have expired. */
async function abandonedFile(count: number): Promise<string> {
  const path = join(await makeTempFolder(), "runs.db");
  const storeUrl: StoreUrl = { kind: "sqlite", path };
  const { store, release } = await openStore(storeUrl, () => {});
  const runs = createRunEvents({ store });
  for (let at = 0; at < count; at++) {
    const { runId } = await runs.create({ ownerId: "ada" });
    await kitStore(store).claim({ runId, leaseMs: 1 });
  }
  await runs.close();
  await release();
  return path;
}

/** How each run of a file ended. */
async function endsIn(path: string): Promise<readonly (readonly string[])[]> {
  const { store, release } = await openStore({ kind: "sqlite", path }, () => {});
  const runs = createRunEvents({ store });
  const listed = await runs.list({ ownerId: "ada", limit: 10_000 });
  const pages = await Promise.all(listed.runs.map(({ runId }) => runs.as("ada").read(runId)));
  await runs.close();
  await release();
  return pages.map(({ events }) => events.map(({ eventType }) => eventType));
}

describe("the reaper", () => {
  it.each(["memory:", "sqlite:runs.db"])(
    "W31, W33: the reaper on %s ends a run whose worker is gone, and readers, log and metrics show it",
    async (storeUrl) => {
      const server = await startServer({ STORE_URL: storeUrl, ...AT_ONCE });
      const runs = `${server.url}/v1/agent-runs`;
      for (const runId of ["abandoned", "held"]) {
        await call(runs, ADA, "POST", { runId, metadata: "NO-LOG-MAY-SHOW" });
      }
      const held = await call(`${runs}/held/claim`, ADA, "POST", { leaseMs: 3_600_000 });
      expect(held.status).toBe(200);
      const { cookie } = await signIn(server.url, ADA);
      const { frames } = await openStream(server.url, "abandoned", cookie);
      await call(`${runs}/abandoned/claim`, ADA, "POST", { leaseMs: 1_000 });
      expect((await frames).slice(-2)).toMatchObject([
        {
          type: "run_event",
          event: { eventType: "RUN_FAILED", payload: { reason: "lease_expired" } },
        },
        { type: "run_finished", runStatus: "failed" },
      ]);
      await expect.poll(() => endedBy(server), PATIENCE).toEqual(["abandoned"]);
      expect(await metricsOf(server)).toMatch(/^run_events_runs_expired_total 1$/m);
      expect(await metricsOf(server)).toMatch(/^run_events_upkeep_failures_total 0$/m);
      const late = await call(`${runs}/abandoned/claim`, ADA, "POST", { leaseMs: 1_000 });
      expect([late.status, await late.json()]).toMatchObject([409, { code: "run_finished" }]);
      expect(await (await call(`${runs}/held`, ADA)).json()).toMatchObject({ runStatus: "queued" });
      const { exitCode, stderr } = await server.end("SIGTERM");
      expect(exitCode, stderr).toBe(0);
      expect(stderr).not.toContain("NO-LOG-MAY-SHOW");
    },
  );

  it("S23, W33: two servers on one file end each run once between them", async () => {
    const path = await abandonedFile(300);
    const env = { STORE_URL: `sqlite:${path}`, ...AT_ONCE };
    const servers = await Promise.all([startServer(env), startServer(env)]);
    await expect.poll(() => servers.flatMap(endedBy).length, PATIENCE).toBe(300);
    expect(new Set(servers.flatMap(endedBy)).size).toBe(300);
    for (const server of servers) {
      expect(await metricsOf(server)).toMatch(/^run_events_upkeep_failures_total 0$/m);
      expect((await server.end("SIGTERM")).exitCode).toBe(0);
    }
    expect(new Set((await endsIn(path)).map(String))).toEqual(new Set(["RUN_FAILED"]));
  });

  it("W27: a shutdown during the reaper's work loses none of it, and the next start does the rest", async () => {
    const path = await abandonedFile(600);
    const env = { STORE_URL: `sqlite:${path}`, ...AT_ONCE };
    const first = await startServer(env);
    await expect.poll(() => endedBy(first).length, PATIENCE).toBeGreaterThan(0);
    const { exitCode, stderr } = await first.end("SIGTERM");
    expect(exitCode, stderr).toBe(0);
    const ended = endedBy(first);
    const ends = (await endsIn(path)).filter((types) => types.length > 0);
    expect(ends).toEqual(ended.map(() => ["RUN_FAILED"]));
    const second = await startServer(env);
    await expect.poll(() => endedBy(second).length, PATIENCE).toBe(600 - ended.length);
    expect(new Set([...ended, ...endedBy(second)]).size).toBe(600);
  });
});

describe("the upkeep of a server within another program", () => {
  afterEach(() => void vi.useRealTimers());

  function settingsOf(port: string): Settings {
    const env = { STORE_URL: "memory:", API_TOKENS: `ada=${ADA}`, RECORD_SAMPLE: "0" };
    const parsed = parseSettings({ ...env, PORT: port, DRAIN_MS: "0", RETENTION_DAYS: "0.5" });
    if (!("settings" in parsed)) throw new Error(parsed.malformed);
    return parsed.settings;
  }

  it("the upkeep begins once the server listens, and ends with it without a trace", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const running = await startWithin(settingsOf("0"), WORKSPACE, () => {});
    const going = vi.getTimerCount();
    expect(going).toBeGreaterThan(0);
    const { port } = new URL(running.url);
    await expect(startWithin(settingsOf(port), WORKSPACE, () => {})).rejects.toThrow("free port");
    expect(vi.getTimerCount()).toBe(going);
    await running.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
