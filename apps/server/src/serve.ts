import { describeError } from "./describe-error.ts";
import { encodeGreeting } from "./greeting.ts";
import { createLog, type Log } from "./log.ts";
import { readSecretFiles } from "./secret-variables.ts";
import { type RunningServer, startServer } from "./server.ts";
import { parseSettings } from "./settings.ts";
import { INSTALLED, type Surroundings } from "./surroundings.ts";

/** How long a shutdown may take after the drain window, in milliseconds, before the process exits. */
const DEADLINE_MS = 5_000;

/**
 * Starts the server in this process and takes the process over: it writes to standard output and standard error, and exits
 * after `SIGTERM` or `SIGINT`. If the server cannot start, it writes one line and exits with 1.
 * @param env the server's variables, as its README lists them
 * @param surroundings where its files are; by default in this package
 * @returns 0 once it listens; 2 if a variable is malformed or its file cannot be read, after one line on standard error
 */
export async function serve(
  env: Readonly<Record<string, string | undefined>>,
  surroundings: Surroundings = INSTALLED,
): Promise<0 | 2> {
  const log = createLog(process.stderr);
  // A reader of the output that leaves, as `head` does, must not end the server.
  for (const output of [process.stdout, process.stderr]) output.on("error", () => {});
  const given = readSecretFiles(env);
  const parsed = "malformed" in given ? given : parseSettings(given.env, given.sources);
  if ("malformed" in parsed) {
    complain(parsed.malformed);
    return 2;
  }
  const { settings } = parsed;
  const running = await startServer(settings, surroundings, log).catch((error: unknown) => {
    complain(error instanceof Error ? error.message : String(error));
    // Exits at once: a driver may leave a connection open on which it failed to sign in.
    process.exit(1);
  });
  process.stdout.write(encodeGreeting(running, settings));
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      // The second signal, of either kind, ends the process at once.
      for (const next of ["SIGTERM", "SIGINT"]) {
        process.removeAllListeners(next);
        process.once(next, () => process.exit(1));
      }
      void stop(running, settings.drainMs, log);
    });
  }
  return 0;
}

async function stop(running: RunningServer, drainMs: number, log: Log): Promise<void> {
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

function complain(line: string): void {
  process.stderr.write(`run-events-server: ${line.replaceAll(/\s+/g, " ")}\n`);
}
