import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { makeTempFolder, startServer } from "../../server/test/start-server.ts";
import { linesOf, readEvents, readRuns } from "./recorded-run.ts";
import { runCli, runIdIn, startCli } from "./start-cli.ts";

const sh = (script: string): readonly string[] => ["exec", "--", "sh", "-c", script];

/** A script that runs as long as the folder exists, so until the test has finished. */
const stayWith = (folder: string): string => `while [ -d ${folder} ]; do sleep 0.1; done`;

describe("the pipes of exec", () => {
  it("a command whose output is closed ends at SIGPIPE, as in a plain pipe, and so does its run", async () => {
    const { url } = await startServer();
    const cli = startCli(url, sh("while :; do echo y; done"));
    await cli.printed("y\n");
    cli.process.stdout?.destroy();
    const { exitCode, stderr } = await cli.ended;
    expect(exitCode, stderr).toBe(141);
    const events = await readEvents(url, runIdIn(stderr));
    expect(events.at(-1)).toMatchObject({
      eventType: "RUN_FAILED",
      payload: { signal: "SIGPIPE" },
    });
  });

  it("a command that ignores a closed pipe continues, and is recorded to its end", async () => {
    const { url } = await startServer();
    const script =
      "trap '' PIPE; echo up; while echo more 2>/dev/null; do :; done; echo last >&2; exit 3";
    const cli = startCli(url, sh(script));
    await cli.printed("more");
    cli.process.stdout?.destroy();
    const { exitCode, stderr } = await cli.ended;
    expect(exitCode, stderr).toBe(3);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDERR")).toEqual(["last"]);
    expect(events.at(-1)).toMatchObject({ eventType: "RUN_FAILED", payload: { exitCode: 3 } });
  });

  it.each([
    ["quiet", (folder: string) => stayWith(folder)],
    ["busy", () => "while echo more; do :; done"],
  ])("a %s process that outlives the command does not keep the run open", async (_, left) => {
    const { url } = await startServer();
    const script = `echo one; (${left(await makeTempFolder())}) & echo two; exit 7`;
    const { exitCode, stderr } = await runCli(url, sh(script));
    expect(exitCode, stderr).toBe(7);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDOUT")).toEqual(expect.arrayContaining(["one", "two"]));
    expect(events.at(-1)).toMatchObject({ eventType: "RUN_FAILED", payload: { exitCode: 7 } });
  });

  it("a signal after the command's end does not cancel its run", async () => {
    const { url } = await startServer();
    // A process that outlives the command keeps its output open, and interrupts exec after the command's end.
    const stay = stayWith(await makeTempFolder());
    const left = `(trap '' TERM; while kill -0 $$ 2>&-; do :; done; kill -TERM $PPID; ${stay}) &`;
    const { exitCode, stderr } = await runCli(url, sh(`${left} echo one`));
    expect(exitCode, stderr).toBe(0);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDOUT")).toEqual(["one"]);
    expect(events.at(-1)).toMatchObject({ eventType: "RUN_COMPLETED", payload: { exitCode: 0 } });
  });

  it("exec waits for a reader that reads nothing, until the third signal", async () => {
    const { url } = await startServer();
    const cli = startCli(url, sh("while :; do echo more; done"));
    await cli.printed("more");
    cli.process.stdout?.pause();
    // The pipes are full.
    const lengthOf = async (): Promise<number> => (await readRuns(url))[0]?.lastSequence ?? 0;
    let length = -1;
    await expect
      .poll(
        async () => {
          const before = length;
          length = await lengthOf();
          return length === before;
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(true);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) cli.process.kill(signal);
    await once(cli.process, "exit");
    expect(cli.process.exitCode).toBe(125);
    cli.process.stdout?.resume();
  });
});
