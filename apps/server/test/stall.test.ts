import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startPostgres } from "@tm/run-events-test-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CliProcess, startCli } from "../../cli/test/start-cli.ts";
import { call } from "./client.ts";
import { ADA, makeTempFolder, type ServerProcess, startServer } from "./start-server.ts";

/** Bounds a hang: each wait ends with what it waits for. */
const PATIENCE = { timeout: 50_000 };
const LEASE_MS = 1_000;
/** The checks have to be steady for as long. */
const GRACE_MS = 5_000;
const REAPING = { LEASE_GRACE_MS: `${GRACE_MS}`, REAP_INTERVAL_MS: "200", DRAIN_MS: "0" };
const COMMANDS = 4;

interface ListedRun {
  readonly runId: string;
  readonly runStatus: string;
}

async function readRuns({ url }: ServerProcess): Promise<readonly ListedRun[]> {
  const { runs } = (await (await call(`${url}/v1/agent-runs`, ADA)).json()) as {
    readonly runs: readonly ListedRun[];
  };
  return runs;
}

/** Waits until a lease that was renewed at this time at the latest has expired, and the grace is over. */
async function untilAbandoned(sinceMs: number): Promise<void> {
  await expect.poll(() => Date.now() - sinceMs, PATIENCE).toBeGreaterThan(LEASE_MS + GRACE_MS);
}

/**
 * Takes something away for longer than the leases of several commands and the grace, and restores it: none of the commands is
 * ended, and a run whose worker is gone is.
 */
async function expectToSpareTheLiving(
  server: ServerProcess,
  takeAway: (commands: readonly CliProcess[]) => Promise<unknown> | void,
  giveBack: (commands: readonly CliProcess[]) => Promise<unknown> | void,
): Promise<void> {
  const flag = join(await makeTempFolder(), "done");
  const script = `echo begin; until [ -e ${flag} ]; do sleep 0.1; done; echo end`;
  const commands = Array.from({ length: COMMANDS }, () =>
    startCli(server.url, ["exec", "--lease", `${LEASE_MS / 1_000}`, "--", "sh", "-c", script]),
  );
  await Promise.all(commands.map(({ printed }) => printed("begin")));
  await expect.poll(async () => (await readRuns(server)).length, PATIENCE).toBe(COMMANDS);
  const runs = `${server.url}/v1/agent-runs`;
  await call(runs, ADA, "POST", { runId: "abandoned" });
  const claimed = await call(`${runs}/abandoned/claim`, ADA, "POST", { leaseMs: LEASE_MS });
  expect(claimed.status).toBe(200);
  await takeAway(commands);
  await untilAbandoned(Date.now());
  await giveBack(commands);
  const statusOf = async (): Promise<unknown> =>
    ((await (await call(`${runs}/abandoned`, ADA)).json()) as { runStatus?: string }).runStatus;
  await expect.poll(statusOf, PATIENCE).toBe("failed");
  writeFileSync(flag, "");
  const exits = await Promise.all(commands.map(({ ended }) => ended));
  expect(exits.map(({ exitCode }) => exitCode)).toEqual(commands.map(() => 0));
  const ended = (await readRuns(server)).filter(({ runId }) => runId !== "abandoned");
  expect(ended.map(({ runStatus }) => runStatus)).toEqual(commands.map(() => "completed"));
}

describe("commands under exec", () => {
  it("W33: commands under exec survive a pause of the machine that is longer than their leases, even if the server goes on first", async () => {
    const path = join(await makeTempFolder(), "runs.db");
    const server = await startServer({ STORE_URL: `sqlite:${path}`, ...REAPING });
    const db = new DatabaseSync(path);
    onTestFinished(() => db.close());
    const version = (): unknown => db.prepare("PRAGMA data_version").get()?.["data_version"];
    const signal = (commands: readonly CliProcess[], name: NodeJS.Signals): void => {
      for (const { process } of commands) process.kill(name);
    };
    await expectToSpareTheLiving(
      server,
      (commands) => {
        signal(commands, "SIGSTOP");
        server.process.kill("SIGSTOP");
      },
      async (commands) => {
        const seen = new Set([version()]);
        server.process.kill("SIGCONT");
        // Each check commits something: some checks have passed before the workers go on.
        await expect.poll(() => seen.add(version()).size, PATIENCE).toBeGreaterThan(4);
        signal(commands, "SIGCONT");
      },
    );
  });

  it("W33: commands under exec survive an outage of the store that is longer than their leases", async () => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.close());
    const server = await startServer({ STORE_URL: await postgres.createDatabase(), ...REAPING });
    await expectToSpareTheLiving(
      server,
      () => postgres.stop("immediate"),
      () => postgres.start(),
    );
  });
});
