import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname, join } from "node:path";
import type { Log } from "../log.ts";
import type { Sample } from "../surroundings.ts";

/** The time that the recorder has to end its run when the server shuts down, in milliseconds. */
const STOP_MS = 3_000;

/** The command that is recorded, from the workspace's root. */
const COMMAND = ["node", "apps/server/src/workspace/type-check.ts"];

/**
 * Records this workspace's own type check as a run, with the same command line that users have. If the recording fails, that is
 * logged, and the server goes on.
 */
export function recordSample(
  server: { readonly url: string; readonly token: string },
  log: Log,
): Sample {
  const root = join(import.meta.dirname, "../../../..");
  const node = dirname(process.execPath);
  const recorder = spawn(
    process.execPath,
    ["-C", "@tm/source", "apps/cli/src/main.ts", "exec", "--", ...COMMAND],
    {
      cwd: root,
      stdio: "ignore",
      // The server's own variables hold secrets, which the command must not have.
      env: {
        // The command's `node` is the one that runs the server: an older one cannot run TypeScript.
        PATH: [node, process.env["PATH"]].join(delimiter),
        RUN_EVENTS_URL: server.url,
        RUN_EVENTS_TOKEN: server.token,
      },
    },
  );
  log("sample_started");
  recorder.on("error", ({ message }) => log("sample_failed", { message }));
  const ended = once(recorder, "close").then(
    ([exitCode, signal]: (string | number | null)[]) =>
      log("sample_ended", signal == null ? { exitCode: exitCode ?? null } : { signal }),
    // The recorder could not be started, which is logged above.
    () => {},
  );
  return {
    async stop() {
      const timer = setTimeout(() => recorder.kill("SIGKILL"), STOP_MS);
      recorder.kill("SIGTERM");
      await ended;
      clearTimeout(timer);
    },
  };
}
