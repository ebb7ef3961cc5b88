import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ADA, makeTempFolder, ownedByAll, startServer } from "../../server/test/start-server.ts";
import { linesOf, readEvents, readRuns } from "./recorded-run.ts";
import { runCli, runIdIn, startCli } from "./start-cli.ts";

const sh = (script: string): readonly string[] => ["exec", "--", "sh", "-c", script];

describe("exec", () => {
  const owner = ownedByAll();
  let url: string;
  beforeAll(async () => {
    ({ url } = await startServer({}, undefined, owner));
  });

  it("exec records a command: its lines, its phases and its end", async () => {
    // A server for this test alone, with only one run.
    const { url } = await startServer();
    const script = "echo one; echo two >&2; echo ::group::next; printf 'no newline'";
    const { exitCode, stdout, stderr } = await runCli(url, sh(script));
    expect(exitCode).toBe(0);
    const runId = runIdIn(stderr);
    const events = await readEvents(url, runId);
    const command = ["sh", "-c", script];
    expect(events[0]).toMatchObject({ eventType: "RUN_STARTED", payload: { command } });
    expect(linesOf(events, "STDOUT")).toEqual(["one", "no newline"]);
    expect(linesOf(events, "STDERR")).toEqual(["two"]);
    const types = events.map(({ eventType }) => eventType);
    expect(types.indexOf("PHASE_STARTED")).toBeGreaterThan(types.indexOf("STDOUT"));
    expect(events.at(-1)).toMatchObject({ eventType: "RUN_COMPLETED", payload: { exitCode: 0 } });
    expect(await readRuns(url)).toMatchObject([
      { runId, runStatus: "completed", currentPhase: "next", metadata: { command } },
    ]);
    expect(stdout).toBe("one\n::group::next\nno newline");
    expect(stderr).toContain("\ntwo\n");
    expect(stderr).toMatch(new RegExp(`run-events: run ${runId} completed\n$`));
  });

  it.each([
    ["the command's own code", sh("exit 7"), 7, { exitCode: 7 }],
    ["128 and the signal", sh("kill -9 $$"), 137, { signal: "SIGKILL" }],
    [
      "127 for a command that was not found",
      ["exec", "--", "no-such-command"],
      127,
      { error: "ENOENT" },
    ],
    [
      "126 for a command that cannot be run",
      ["exec", "--", "/etc/passwd"],
      126,
      { error: "EACCES" },
    ],
    [
      "126 for a path that does not exist",
      ["exec", "--", "/etc/passwd/no-such-command"],
      126,
      { error: "ENOTDIR" },
    ],
  ] as const)("exec ends with %s, and the run as failed", async (_, args, code, payload) => {
    const { exitCode, stderr } = await runCli(url, args);
    expect(exitCode).toBe(code);
    const events = await readEvents(url, runIdIn(stderr));
    expect(events.at(-1)).toMatchObject({ eventType: "RUN_FAILED", payload });
  });

  it("exec records every line of a large output in order, and passes it on byte for byte", async () => {
    const count = 30_000;
    const script = `for (let i = 0; i < ${count}; i += 1) console.log("line " + i + " é")`;
    const { exitCode, stdout, stderr } = await runCli(url, [
      "exec",
      "--",
      process.execPath,
      "-e",
      script,
    ]);
    expect(exitCode).toBe(0);
    const lines = Array.from({ length: count }, (_, index) => `line ${index} é`);
    expect(stdout).toBe(`${lines.join("\n")}\n`);
    expect(linesOf(await readEvents(url, runIdIn(stderr)), "STDOUT")).toEqual(lines);
  });

  it("W9: exec records all of a line that is longer than a payload, in pieces", async () => {
    const script = 'process.stdout.write("😀\\u001b".repeat(150_000) + "\\nend")';
    const { stderr } = await runCli(url, ["exec", "--", process.execPath, "-e", script]);
    const events = await readEvents(url, runIdIn(stderr));
    expect(linesOf(events, "STDOUT")).toEqual(["😀\u001b".repeat(150_000), "end"]);
  });

  it("exec records live: the run has a line while the command still runs", async () => {
    const cli = startCli(url, sh("echo first; exec sleep 600"));
    await cli.printed("first");
    await expect
      .poll(async () => (await readRuns(url))[0], { timeout: 30_000 })
      .toMatchObject({ runStatus: "running", lastSequence: 2 });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "exec passes %s on to the command and all that it started, and cancels the run",
    async (signal, code) => {
      // The inner processes hold the output open, so exec ends only after them.
      const cli = startCli(
        url,
        // Wait for the innermost process: a shell that has just forked would lose the signal.
        sh(`trap 'echo bye; exit 0' ${signal.slice(3)}; sh -c 'echo up; exec sleep 600'; true`),
      );
      await cli.printed("up");
      cli.process.kill(signal);
      const { exitCode, stderr } = await cli.ended;
      expect(exitCode).toBe(code);
      const events = await readEvents(url, runIdIn(stderr));
      expect(linesOf(events, "STDOUT")).toEqual(["up", "bye"]);
      expect(events.at(-1)).toMatchObject({ eventType: "RUN_CANCELLED", payload: { signal } });
    },
  );

  it("exec kills a command that ignores the first signal, at the second", async () => {
    const cli = startCli(url, sh("trap 'echo no' INT; echo up; while :; do sleep 0.05; done"));
    await cli.printed("up");
    cli.process.kill("SIGINT");
    await cli.printed("no");
    cli.process.kill("SIGINT");
    const { exitCode, stderr } = await cli.ended;
    expect(exitCode).toBe(130);
    expect((await readEvents(url, runIdIn(stderr))).at(-1)?.eventType).toBe("RUN_CANCELLED");
  });

  it("W13: exec ends its command, quiet or busy, with 124 when another program cancels the run", async () => {
    const scripts = ["echo up; exec sleep 600", "echo up; while :; do echo more; sleep 0.01; done"];
    for (const script of scripts) {
      const cli = startCli(url, sh(script));
      await cli.printed("up");
      const [run] = await readRuns(url);
      const cancelled = await runCli(url, ["cancel", run?.runId ?? ""]);
      expect(cancelled).toMatchObject({ exitCode: 0, stdout: `run ${run?.runId} cancelled\n` });
      const { exitCode, stderr } = await cli.ended;
      expect(exitCode).toBe(124);
      expect(stderr).toContain("was ended by another program (cancelled)");
      expect((await readEvents(url, run?.runId ?? "")).at(-1)?.eventType).toBe("RUN_CANCELLED");
    }
  });

  it("exec does not start a command that it cannot record, and ends with 125", async () => {
    const unknown = await runCli(url, sh("echo started"), { RUN_EVENTS_TOKEN: "wrong" });
    expect(unknown).toMatchObject({ exitCode: 125, stdout: "" });
    expect(unknown.stderr).toContain("Expected a valid bearer token");
    const away = await runCli("http://127.0.0.1:9", sh("echo started"));
    expect(away).toMatchObject({ exitCode: 125, stdout: "" });
    expect(away.stderr).toContain("No server answers at http://127.0.0.1:9");
  });

  it("exec lets the command continue after its recording fails, and ends with 125", async () => {
    const { url } = await startServer({ MAX_PAYLOAD_BYTES: "200" });
    const goOn = join(await makeTempFolder(), "go-on");
    const script = `printf '%0999d\\n' 0; until [ -e ${goOn} ]; do :; done; echo last`;
    const cli = startCli(url, sh(script));
    await cli.noted("run-events: no longer recording: ");
    writeFileSync(goOn, "");
    const { exitCode, stdout } = await cli.ended;
    expect(exitCode).toBe(125);
    expect(stdout).toContain("last\n");
  });

  it("exec passes its environment to the command, without its token", async () => {
    const { exitCode, stderr } = await runCli(url, ["exec", "--", "env"], { OTHER: "kept" });
    expect(exitCode, stderr).toBe(0);
    const lines = linesOf(await readEvents(url, runIdIn(stderr)), "STDOUT");
    expect(lines).toEqual(expect.arrayContaining(["OTHER=kept", `RUN_EVENTS_URL=${url}`]));
    expect(lines.join()).not.toContain(ADA);
    expect(lines.join()).not.toContain("RUN_EVENTS_TOKEN");
  });

  it("exec takes its token from a file, and the command gets only the file's path", async () => {
    const path = join(await makeTempFolder(), "token");
    writeFileSync(path, `${ADA}\n`);
    const env = { RUN_EVENTS_TOKEN: null, RUN_EVENTS_TOKEN_FILE: path };
    const { exitCode, stderr } = await runCli(url, ["exec", "--", "env"], env);
    expect(exitCode, stderr).toBe(0);
    const lines = linesOf(await readEvents(url, runIdIn(stderr)), "STDOUT");
    expect(lines).toContain(`RUN_EVENTS_TOKEN_FILE=${path}`);
    expect(lines.join()).not.toContain(ADA);
  });
});
