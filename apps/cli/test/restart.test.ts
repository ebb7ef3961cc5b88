import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeTempFolder, startServer } from "../../server/test/start-server.ts";
import { linesOf, readEvents, readRuns } from "./recorded-run.ts";
import { runIdIn, startCli } from "./start-cli.ts";

const LINES = Array.from({ length: 400 }, (_, index) => `line ${index}`);
/** Writes lines up to the number in a file, which may grow. Ends when that number is past the last line. */
const SCRIPT = `
  const { readFileSync } = require("node:fs");
  let line = 0;
  const timer = setInterval(() => {
    const limit = Number(readFileSync(process.argv[1], "utf8"));
    if (limit > ${LINES.length}) clearInterval(timer);
    else if (line < limit) console.log("line " + line++);
  }, 5);`;

describe("an outage of the server", () => {
  it.each(["SIGKILL", "SIGTERM"] as const)(
    "an outage by %s costs a recording and its followers no line, and repeats none",
    async (signal) => {
      const folder = await makeTempFolder();
      const env = { STORE_URL: `sqlite:${join(folder, "runs.db")}`, DRAIN_MS: "0" };
      let server = await startServer(env);
      const limit = join(folder, "limit");
      writeFileSync(limit, "80");
      const exec = startCli(server.url, ["exec", "--", process.execPath, "-e", SCRIPT, limit]);
      await exec.noted("recording run");
      const runId = (await readRuns(server.url))[0]?.runId ?? "";
      const tail = startCli(server.url, ["tail", runId]);
      for (const [line, next] of [
        [40, 160],
        [120, 240],
        [200, LINES.length],
      ] as const) {
        await tail.printed(` STDOUT line ${line}\n`);
        await server.end(signal);
        writeFileSync(limit, `${next}`);
        await exec.noted("No server answers");
        server = await startServer({ ...env, PORT: `${server.port}` });
      }
      await exec.printed(`${LINES.at(-1)}\n`);
      writeFileSync(limit, `${LINES.length + 1}`);

      const recorded = await exec.ended;
      expect(recorded.exitCode, recorded.stderr).toBe(0);
      expect(runIdIn(recorded.stderr)).toBe(runId);
      expect(recorded.stderr).toContain("the server is back");
      expect(recorded.stderr).toMatch(/No server answers at [^ ]+: \w+: new output is sent when/);
      const events = await readEvents(server.url, runId);
      expect(linesOf(events, "STDOUT")).toEqual(LINES);
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));

      const followed = await tail.ended;
      expect(followed.exitCode, followed.stderr).toBe(0);
      const printed = followed.stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" "));
      expect(printed.map(([sequence]) => Number(sequence))).toEqual(
        events.map(({ sequence }) => sequence),
      );
      const lines = printed
        .filter(([, , type]) => type === "STDOUT")
        .map((words) => words.slice(3).join(" "));
      expect(lines).toEqual(LINES);
    },
  );

  it("an outage lets a command work until much output waits, and then makes it wait", async () => {
    const folder = await makeTempFolder();
    const env = { STORE_URL: `sqlite:${join(folder, "runs.db")}` };
    let server = await startServer(env);
    const goOn = join(folder, "go-on");
    // Far more than the recorder keeps while the server does not answer.
    const script = `
      import { watch } from "node:fs";
      import { once } from "node:events";
      import { basename, dirname } from "node:path";
      const goOn = process.argv[1];
      const watcher = watch(dirname(goOn));
      console.log("up");
      for (let name; name !== basename(goOn);) [, name] = await once(watcher, "change");
      watcher.close();
      for (let number = 0; number < 400; number += 1) {
        if (!process.stdout.write(number + "x".repeat(60_000) + "\\n")) await once(process.stdout, "drain");
      }`;
    const node = [process.execPath, "--input-type=module", "-e", script, goOn];
    const exec = startCli(server.url, ["exec", "--", ...node]);
    await exec.printed("up");
    await server.end("SIGKILL");
    writeFileSync(goOn, "");
    await exec.noted("No server answers");
    // The output that it has passed on stops to grow before the end.
    let length = -1;
    await expect
      .poll(
        () => {
          const before = length;
          length = exec.stdout().length;
          return length > 1_000_000 && length === before;
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(true);
    expect(length).toBeLessThan(400 * 60_000 * 0.6);
    server = await startServer({ ...env, PORT: `${server.port}` });
    const { exitCode, stderr } = await exec.ended;
    expect(exitCode, stderr).toBe(0);
    const lines = linesOf(await readEvents(server.url, runIdIn(stderr)), "STDOUT");
    expect(lines.slice(1).map((line) => line.replace(/x+$/, ""))).toEqual(
      Array.from({ length: 400 }, (_, number) => `${number}`),
    );
  });

  it("three interruptions end exec during an outage", async () => {
    const server = await startServer();
    const exec = startCli(server.url, ["exec", "--", "sh", "-c", "echo up; exec sleep 600"]);
    await exec.printed("up");
    await exec.noted("recording run");
    await server.end("SIGKILL");
    // Three equal signals could count as one.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) exec.process.kill(signal);
    const { exitCode, stderr } = await exec.ended;
    expect(exitCode).toBe(125);
    expect(stderr).toContain("interrupted");
  });
});
