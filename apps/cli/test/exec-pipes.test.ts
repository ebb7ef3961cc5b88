import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { makeTempFolder, startServer } from "../../server/test/start-server.ts";
import { linesOf, readEvents, readRuns } from "./recorded-run.ts";
import { runCli, runIdIn, startCli } from "./start-cli.ts";

const sh = (script: string): readonly string[] => ["exec", "--", "sh", "-c", script];

/** What a process does that stays for as long as the folder is there, so until the test has finished. */
const stayWith = (folder: string): string => `while [ -d ${folder} ]; do sleep 0.1; done`;

describe("the pipes of exec", () => {
  it("a command whose output nobody reads any more ends at SIGPIPE, as in a plain pipe, and the run with it", async () => {
    const { url } = await startServer();
    const cli = startCli(url, sh("while :; do echo y; done"));
    await cli.said("y\n");
    cli.process.stdout?.destroy();
    const { exitCode, stderr } = await cli.ended;
    expect(exitCode, stderr).toBe(141);
    const events = await readEvents(url, runIdIn(stderr));
    expect(events.at(-1)).toMatchObject({
      eventType: "RUN_FAILED",
      payload: { signal: "SIGPIPE" },
    });
  });

  it("a command that minds no closed pipe goes on, and is recorded to its own end", async () => {
    const { url } = await startServer();
    const script =
      "trap '' PIPE; echo up; while echo more 2>/dev/null; do :; done; echo last >&2; exit 3";
    const cli = startCli(url, sh(script));
    await cli.said("more");
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
  ])("a %s process that the command leaves behind does not hold the run", async (_, left) => {
    const { url } = await startServer();
    const script = `echo one; (${left(await makeTempFolder())}) & echo two; exit 7`;
    const { exitCode, stderr } = await runCli(url, sh(script));
    expect(exitCode, stderr).toBe(7);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDOUT")).toEqual(expect.arrayContaining(["one", "two"]));
    expect(events.at(-1)).toMatchObject({ eventType: "RUN_FAILED", payload: { exitCode: 7 } });
  });

  it("a signal that comes when the command has ended does not make its run a cancelled one", async () => {
    const { url } = await startServer();
    // What is left behind interrupts exec as soon as that knows of the command's end, and holds its output on.
    const stay = stayWith(await makeTempFolder());
    const left = `(trap '' TERM; while kill -0 $$ 2>&-; do :; done; kill -TERM $PPID; ${stay}) &`;
    const { exitCode, stderr } = await runCli(url, sh(`${left} echo one`));
    expect(exitCode, stderr).toBe(0);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDOUT")).toEqual(["one"]);
    expect(events.at(-1)).toMatchObject({ eventType: "RUN_COMPLETED", payload: { exitCode: 0 } });
  });

  it("a reader that reads nothing keeps exec from its command's end, and not from the third signal", async () => {
    const { url } = await startServer();
    const cli = startCli(url, sh("while :; do echo more; done"));
    await cli.said("more");
    cli.process.stdout?.pause();
    // Nothing more comes through.
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
