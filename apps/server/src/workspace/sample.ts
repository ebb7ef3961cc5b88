import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname, join } from "node:path";
import type { Log } from "../log.ts";
import type { Sample } from "../surroundings.ts";

/** How long the recorder may take to end its run when the server goes down, in milliseconds. */
const STOP_MS = 1_000;

/** The command that is recorded, from the workspace's root. */
const COMMAND = ["node", "apps/server/src/workspace/type-check.ts"];

/**
 * Records this workspace's own type check as a run, through the command line that everybody uses. That it fails is
 * logged, and is no failure of the server.
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
      // The server's own variables hold secrets that are none of the command's business.
      env: {
        // The command's `node` is the one that runs the server: an older one does not take TypeScript.
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
    // It could not be started, which is logged above.
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
