import { chmod, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findProgram } from "../../../packages/test-servers/src/find-program.ts";
import { UNPRIVILEGED_USER } from "../../../packages/test-servers/src/unprivileged-user.ts";
import { makeTempFolder, startServer } from "../../server/test/start-server.ts";
import { linesOf, readEvents, readRuns } from "./recorded-run.ts";
import { type CliProcess, runCli, runIdIn, startCli } from "./start-cli.ts";

/** A command that has become root, as by `sudo`, under an exec of another user. */
interface RootCommand {
  readonly url: string;
  readonly cli: CliProcess;
  /** Lets the command end, after it has written `last`. */
  goOn(): Promise<void>;
}

async function startRootCommand(): Promise<RootCommand> {
  const { url } = await startServer();
  const folder = await makeTempFolder();
  await chmod(folder, 0o755);
  const become = join(folder, "become");
  await copyFile(findProgram("setpriv") ?? "setpriv is not installed", become);
  await chmod(become, 0o4755);
  const file = join(folder, "go-on");
  const script = `echo up; until [ -e ${file} ] || ! [ -d ${folder} ]; do sleep 0.05; done; echo last`;
  const words = [become, "--reuid=0", "--clear-groups", "sh", "-c", script];
  const cli = startCli(url, ["exec", "--", ...words], {}, UNPRIVILEGED_USER);
  await cli.printed("up");
  return { url, cli, goOn: () => writeFile(file, "") };
}

const REFUSED = "does not reach the command (EPERM): waiting for its end";

/** Only root can make such a command. */
describe.runIf(UNPRIVILEGED_USER !== null)("a command of another user", () => {
  it("a command of another user is recorded to its end when exec gets SIGTERM, and its run is cancelled", async () => {
    const { url, cli, goOn } = await startRootCommand();
    cli.process.kill("SIGTERM");
    await cli.noted(`SIGTERM ${REFUSED}`);
    await goOn();
    const { exitCode, stderr } = await cli.ended;
    expect(exitCode, stderr).toBe(143);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDOUT")).toEqual(["up", "last"]);
    expect(events.at(-1)).toMatchObject({
      eventType: "RUN_CANCELLED",
      payload: { signal: "SIGTERM" },
    });
  });

  it("exec waits for a command of another user whose run was cancelled, and ends with 124", async () => {
    const { url, cli, goOn } = await startRootCommand();
    await runCli(url, ["cancel", (await readRuns(url))[0]?.runId ?? ""]);
    await cli.noted(`SIGTERM ${REFUSED}`);
    await goOn();
    const { exitCode, stdout, stderr } = await cli.ended;
    expect(exitCode, stderr).toBe(124);
    expect(stdout).toBe("up\nlast\n");
  });

  it("exec leaves a command of another user at the third signal, with a note and 125", async () => {
    const { url, cli, goOn } = await startRootCommand();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) cli.process.kill(signal);
    const { exitCode, stderr } = await cli.ended;
    expect(exitCode, stderr).toBe(125);
    expect(stderr).toContain("it was interrupted, and the command is still running");
    // The run fails when its lease expires.
    expect((await readRuns(url))[0]?.runStatus).toMatch(/queued|running/);
    await goOn();
  });
});
