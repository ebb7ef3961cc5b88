import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, type TestContext } from "vitest";
import { findStartedBy, listProcesses, parseProcess } from "../src/running-processes.ts";

const FOLDER = join(import.meta.dirname, "hangs");
const VITEST = join(
  dirname(createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs",
);
/** Above what a busy machine takes to start a worker. */
const LIMIT_MS = 10_000;

/** Runs a test file that hangs, under the guard. */
async function runHanging(
  file: string,
  onTestFinished: TestContext["onTestFinished"],
): Promise<{ readonly code: unknown; readonly output: string }> {
  const run = spawn(
    process.execPath,
    [VITEST, "run", "--config", join(FOLDER, "vitest.config.ts"), file],
    {
      env: { ...process.env, HANG_LIMIT_MS: String(LIMIT_MS) },
      // A group of its own, with which it can be ended whole.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exited = once(run, "exit");
  onTestFinished(() => {
    if (run.exitCode === null && run.pid !== undefined) process.kill(-run.pid, "SIGKILL");
  });
  // Both end only when no process of the run is left.
  const [out, err, [code]] = await Promise.all([text(run.stdout), text(run.stderr), exited]);
  return { code, output: out + err };
}

it.concurrent("a test file that never gives its thread back ends the run as failed, by its name", async ({
  expect,
  onTestFinished,
}) => {
  const { code, output } = await runHanging("busy.hang.ts", onTestFinished);
  expect(code).toBe(1);
  expect(output).toContain(`The tests hang: no test has ended for ${LIMIT_MS / 1_000} s.`);
  expect(output).toMatch(/Test files that run:\n {2}\S*busy\.hang\.ts\n/);
});

it.concurrent("a process that a test left behind ends the run as failed, by its script and without its arguments", async ({
  expect,
  onTestFinished,
}) => {
  const { code, output } = await runHanging("left-behind.hang.ts", onTestFinished);
  expect(code).toBe(1);
  const pid = /stays: (\d+)/.exec(output)?.[1];
  expect(output).toMatch(
    new RegExp(`\\n {2}${pid}, \\d+ s old: \\S*node\\S* \\S*stays\\.ts(\\n|$)`),
  );
  expect(output).not.toContain("a-secret");
  await expect
    .poll(() => listProcesses().some((process) => process.pid === Number(pid)))
    .toBe(false);
});

it("a process is named by its program and its script, without its other arguments", () => {
  expect(parseProcess("  31 30 7 02:05 Sl+ node -C @tm/source test/a.ts --token=secret")).toEqual([
    { pid: 31, parentPid: 30, groupId: 7, ageSeconds: 125, command: "node test/a.ts" },
  ]);
  expect(parseProcess("31 30 7 1-01:00:01 R redis-server 127.0.0.1:9")).toMatchObject([
    { ageSeconds: 90_001, command: "redis-server" },
  ]);
  expect(parseProcess("31 30 7 00:01 Z node")).toEqual([]);
  expect(parseProcess("")).toEqual([]);
});

it("the processes that a run has started are found in any order, even without their parent, and no others", () => {
  const describe = (pid: number, parentPid: number, groupId: number, ageSeconds: number) => ({
    pid,
    parentPid,
    groupId,
    ageSeconds,
    command: `p${pid}`,
  });
  const shell = describe(1, 0, 10, 100);
  const grandchild = describe(2, 12, 99, 5);
  const run = describe(10, 1, 10, 50);
  const pipedInto = describe(11, 1, 10, 50);
  const child = describe(12, 10, 10, 40);
  const orphan = describe(13, 1, 10, 30);
  const stranger = describe(14, 1, 14, 3);
  const startedBefore = describe(9, 3, 10, 50);
  const ofTheSameSecond = describe(15, 3, 10, 50);
  const others = [shell, pipedInto, stranger, startedBefore];
  const started = [grandchild, child, orphan, ofTheSameSecond];
  expect(findStartedBy(10, [...others, run, ...started])).toEqual(started);
});
