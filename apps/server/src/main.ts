import { describeError } from "./describe-error.ts";
import { encodeGreeting } from "./greeting.ts";
import { createLog } from "./log.ts";
import { type RunningServer, startServer } from "./server.ts";
import { parseSettings, type Settings } from "./settings.ts";

/** What a shutdown may take beyond the drain window, in milliseconds, before the process ends as it stands. */
const DEADLINE_MS = 5_000;

const log = createLog(process.stderr);
// A reader of the output that goes away, as `head` does, must not take the server with it.
for (const output of [process.stdout, process.stderr]) output.on("error", () => {});

const parsed = parseSettings(process.env);
if ("malformed" in parsed) exitWith(2, parsed.malformed);
else await main(parsed.settings);

async function main(settings: Settings): Promise<void> {
  let running: RunningServer;
  try {
    running = await startServer(settings, log);
  } catch (error) {
    exitWith(1, error instanceof Error ? error.message : String(error));
    // Not when all is closed: a driver may leave a connection open on which it failed to sign in.
    process.exit();
  }
  process.stdout.write(encodeGreeting(running, settings));
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      // The second signal, of either kind, ends the process at once.
      for (const next of ["SIGTERM", "SIGINT"]) {
        process.removeAllListeners(next);
        process.once(next, () => process.exit(1));
      }
      void stop(running, settings.drainMs);
    });
  }
}

async function stop(running: RunningServer, drainMs: number): Promise<void> {
  setTimeout(() => {
    log("stopped_late");
    process.exit(1);
  }, drainMs + DEADLINE_MS).unref();
  try {
    await running.close();
  } catch (error) {
    log("stop_failed", describeError(error));
    process.exit(1);
  }
  process.exit(0);
}

function exitWith(code: 1 | 2, line: string): void {
  process.stderr.write(`run-events-server: ${line.replaceAll(/\s+/g, " ")}\n`);
  process.exitCode = code;
}
