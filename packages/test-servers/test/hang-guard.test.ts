import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { it, type TestContext } from "vitest";

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
  expect(output).toMatch(new RegExp(`\\n {2}${pid}: \\S*node\\S* \\S*stays\\.ts(\\n|$)`));
  expect(output).not.toContain("a-secret");
  await expect.poll(() => existsSync(`/proc/${pid}/exe`)).toBe(false);
});
