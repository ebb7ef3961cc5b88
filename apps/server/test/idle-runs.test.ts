import { join } from "node:path";
import { createRunEvents } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { openStore } from "../src/open-store.ts";
import { call } from "./client.ts";
import { ADA, makeTempFolder, startServer } from "./start-server.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 30_000 };
const AT_ONCE = { LEASE_GRACE_MS: "0", REAP_INTERVAL_MS: "20", DRAIN_MS: "0" };

/** A file with a run in each state, before a server looks at it. */
async function idleFile(): Promise<string> {
  const path = join(await makeTempFolder(), "runs.db");
  const { store, release } = await openStore({ kind: "sqlite", path }, () => {});
  const log = createRunEvents({ store });
  const runs = log.as("ada");
  for (const runId of ["queued", "running", "released", "waiting", "held", "answered"]) {
    await runs.create({ runId });
    if (runId !== "queued") await runs.append(runId, [{ eventType: "RUN_STARTED" }]);
  }
  await runs.append("waiting", [{ eventType: "INPUT_REQUESTED", payload: "May I?" }]);
  await runs.append("answered", [{ eventType: "INPUT_REQUESTED" }]);
  await runs.input("answered", "yes");
  await runs.claim("held", { leaseMs: 3_600_000 });
  const { fence } = await runs.claim("released", { leaseMs: 3_600_000 });
  await runs.release("released", fence);
  await log.close();
  await release();
  return path;
}

it("W37, S23: the server ends runs that no worker works on, each status by its own limit, and 0 is for ever", async () => {
  const path = await idleFile();
  const env = { STORE_URL: `sqlite:${path}`, ...AT_ONCE };
  const first = await startServer({
    ...env,
    QUEUED_FOR_MS: "1",
    IDLE_FOR_MS: "1",
    WAITING_FOR_MS: "0",
  });

  async function endOf(url: string, runId: string): Promise<unknown> {
    const page = await (await call(`${url}/v1/agent-runs/${runId}/events`, ADA)).json();
    const { runStatus, events } = page as {
      readonly runStatus: string;
      readonly events: readonly { readonly payload: unknown }[];
    };
    return runStatus === "failed" ? events.at(-1)?.payload : runStatus;
  }

  await expect
    .poll(() => endOf(first.url, "queued"), PATIENCE)
    .toEqual({ reason: "never_started" });
  for (const runId of ["running", "released", "answered"]) {
    await expect.poll(() => endOf(first.url, runId), PATIENCE).toEqual({ reason: "abandoned" });
  }
  expect(await endOf(first.url, "waiting")).toBe("waiting");
  expect(await endOf(first.url, "held")).toBe("running");
  expect(await (await fetch(`${first.url}/metrics`)).text()).toMatch(
    /^run_events_runs_expired_total 4$/m,
  );
  expect((await first.end("SIGTERM")).exitCode).toBe(0);

  const second = await startServer({ ...env, WAITING_FOR_MS: "1" });
  await expect.poll(() => endOf(second.url, "waiting"), PATIENCE).toEqual({ reason: "abandoned" });
  expect(await endOf(second.url, "held")).toBe("running");
  expect((await second.end("SIGTERM")).exitCode).toBe(0);
});
