import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { call } from "../../server/test/client.ts";
import {
  ADA,
  makeTempFolder,
  type ServerProcess,
  startServer,
} from "../../server/test/start-server.ts";
import { linesOf, readEvents, readRuns } from "./recorded-run.ts";
import { type CliProcess, runCli, runIdIn, startCli } from "./start-cli.ts";

/** Arguments that record a script under a lease of one second. */
const sh = (script: string): readonly string[] => [
  "exec",
  "--lease",
  "1",
  "--",
  "sh",
  "-c",
  script,
];

/** Writes again and again, and ends when its output is closed. */
const TICKING = "while echo tick; do sleep 0.05; done";

/** A server that ends a run as soon as its lease expires. */
async function startStrictServer(): Promise<ServerProcess> {
  return startServer({ LEASE_GRACE_MS: "0", REAP_INTERVAL_MS: "50" });
}

async function startExec({ url }: ServerProcess, script: string): Promise<CliProcess> {
  const exec = startCli(url, sh(script));
  await exec.printed("tick");
  return exec;
}

/** Resolves with the id of the only run once it has this status. */
async function waitForStatus({ url }: ServerProcess, runStatus: string): Promise<string> {
  const statusOf = async (): Promise<unknown> => (await readRuns(url))[0]?.runStatus;
  await expect.poll(statusOf, { timeout: 30_000 }).toBe(runStatus);
  return (await readRuns(url))[0]?.runId ?? "";
}

describe("the lease of exec", () => {
  it("W33: a run fails after its exec is killed", async () => {
    const server = await startStrictServer();
    const exec = await startExec(server, TICKING);
    exec.process.kill("SIGKILL");
    const runId = await waitForStatus(server, "failed");
    expect((await readEvents(server.url, runId)).at(-1)).toMatchObject({
      eventType: "RUN_FAILED",
      payload: { reason: "lease_expired" },
    });
  });

  it("W31: exec keeps its lease as long as the command runs, and no longer", async () => {
    const { url } = await startStrictServer();
    const { exitCode, stderr } = await runCli(url, sh("echo begin; sleep 3; echo end"));
    expect(exitCode, stderr).toBe(0);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDOUT")).toEqual(["begin", "end"]);
    expect(events.at(-1)?.eventType).toBe("RUN_COMPLETED");
  });

  it("W32: the lease of exec keeps other programs from writing the run", async () => {
    const server = await startServer();
    const exec = startCli(server.url, ["exec", "--", "sh", "-c", TICKING]);
    await exec.printed("tick");
    const runId = await waitForStatus(server, "running");
    const url = `${server.url}/v1/agent-runs/${runId}`;
    const events = [{ eventType: "STEP" }];
    expect((await call(`${url}/events`, ADA, "POST", { events })).status).toBe(409);
    expect((await call(`${url}/claim`, ADA, "POST", { leaseMs: 1_000 })).status).toBe(409);
  });

  it("W33: a paused exec loses its run, and ends the command and itself with 124", async () => {
    const server = await startStrictServer();
    const exec = await startExec(server, `echo tick; exec sleep 600`);
    await waitForStatus(server, "running");
    exec.process.kill("SIGSTOP");
    await waitForStatus(server, "failed");
    exec.process.kill("SIGCONT");
    const { exitCode, stderr } = await exec.ended;
    expect(exitCode).toBe(124);
    expect(stderr).toContain("was ended by another program (failed), so the command was ended too");
  });

  it.each([
    ["quiet", "echo tick; exec sleep 600"],
    ["busy", TICKING],
  ])(
    "W32: a paused exec whose run another worker claimed, %s, reports that and ends with 124",
    async (_, script) => {
      const server = await startServer();
      const exec = await startExec(server, script);
      const runId = await waitForStatus(server, "running");
      exec.process.kill("SIGSTOP");
      const claim = async (): Promise<number> =>
        (await call(`${server.url}/v1/agent-runs/${runId}/claim`, ADA, "POST", { leaseMs: 60_000 }))
          .status;
      await expect.poll(claim, { timeout: 30_000 }).toBe(200);
      const { length } = await readEvents(server.url, runId);
      exec.process.kill("SIGCONT");
      const { exitCode, stderr } = await exec.ended;
      expect(exitCode).toBe(124);
      expect(stderr).toContain(`run ${runId} has been claimed by another worker`);
      expect(await readEvents(server.url, runId)).toHaveLength(length);
    },
  );

  it("W31: exec keeps an expired lease through an outage, if no other worker has claimed the run", async () => {
    const env = { STORE_URL: `sqlite:${join(await makeTempFolder(), "runs.db")}` };
    const server = await startServer(env);
    const exec = await startExec(server, TICKING);
    const runId = await waitForStatus(server, "running");
    await server.end("SIGKILL");
    await exec.noted("No server answers");
    const { length } = exec.stdout();
    // Forty ticks take two seconds, which is longer than the lease.
    await expect
      .poll(() => exec.stdout().length, { timeout: 30_000 })
      .toBeGreaterThan(length + 200);
    const { url } = await startServer({ ...env, PORT: `${server.port}` });
    await exec.noted("the server is back");
    exec.process.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await exec.ended;
    expect(exitCode, stderr).toBe(143);
    const events = await readEvents(url, runId);
    expect(events.at(-1)?.eventType).toBe("RUN_CANCELLED");
    expect(linesOf(events, "STDOUT")).toEqual(stdout.trimEnd().split("\n"));
  });

  it("W33: exec stops to renew after its recording has failed, so the run fails too", async () => {
    const server = await startServer({
      MAX_PAYLOAD_BYTES: "200",
      LEASE_GRACE_MS: "0",
      REAP_INTERVAL_MS: "50",
    });
    const exec = await startExec(server, `echo tick; printf '%0999d\\n' 0; ${TICKING}`);
    await exec.noted("no longer recording");
    await waitForStatus(server, "failed");
  });
});
