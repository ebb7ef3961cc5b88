import { isatty } from "node:tty";
import { describeError } from "./describe-error.ts";
import { escapeText } from "@tm/run-events-core/wire";
import { encodeGreeting } from "./greeting.ts";
import { createLog, type Log } from "./log.ts";
import { readSecretFiles, SECRET_VARIABLES } from "./secret-variables.ts";
import { type RunningServer, startServer } from "./server.ts";
import { parseSettings } from "./settings.ts";
import { findInstalledConsole } from "./installed-console.ts";

/** The longest that a shutdown may take after the drain window, in milliseconds, before the process exits. */
const DEADLINE_MS = 5_000;

/**
 * Starts the server in this process and takes the process over: it writes to standard output and standard error, and exits
 * after `SIGTERM` or `SIGINT`, or with its terminal. If the server cannot start, it writes one line and exits with 1.
 * @param env the server's variables, as its README lists them
 * @param findConsole finds the folder of the built console; by default in this package
 * @returns 0 once it listens; 2 if a variable is malformed or its file cannot be read, after one line on standard error
 */
export async function serve(
  env: Readonly<Record<string, string | undefined>>,
  findConsole: () => Promise<string> = findInstalledConsole,
): Promise<0 | 2> {
  const log = createLog(process.stderr);
  // A reader of the output that leaves, as `head` does, must not end the server.
  for (const output of [process.stdout, process.stderr]) output.on("error", () => {});
  // Before the start, which a hangup would end otherwise.
  if (!hasTerminal()) process.on("SIGHUP", () => log("hangup_ignored"));
  const given = readSecretFiles(SECRET_VARIABLES, env);
  const parsed = "malformed" in given ? given : parseSettings(given.env, given.sources);
  if ("malformed" in parsed) {
    complain(parsed.malformed);
    return 2;
  }
  const { settings } = parsed;
  const running = await findConsole()
    .then((folder) => startServer(settings, folder, log))
    .catch(giveUp);
  running.opening.catch(giveUp);
  // Before the greeting: who reads it may send a signal at once.
  listenForSignals(() => void stop(running, settings.drainMs, log));
  process.stdout.write(encodeGreeting(running, settings));
  return 0;
}

/** Whether a standard stream is a terminal. */
function hasTerminal(): boolean {
  return [0, 1, 2].some((stream) => isatty(stream));
}

/**
 * Listens for the signals that end the process.
 *
 * | signal                 | first    | after the first      |
 * | ---------------------- | -------- | -------------------- |
 * | `SIGTERM`, `SIGINT`    | shutdown | exits at once with 1 |
 * | `SIGHUP` of a terminal | shutdown | nothing              |
 *
 * A terminal that closes may send several hangups. Without a terminal `serve` ignores them. `nohup` alone does not: Node resets
 * what it inherits.
 */
function listenForSignals(shutDown: () => void): void {
  let isStopping = false;
  const onSignal = (isHangup: boolean): void => {
    if (isStopping && !isHangup) process.exit(1);
    if (!isStopping) shutDown();
    isStopping = true;
  };
  process.on("SIGTERM", () => onSignal(false));
  process.on("SIGINT", () => onSignal(false));
  if (hasTerminal()) process.on("SIGHUP", () => onSignal(true));
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

/** Exits at once, since a driver may leave the connection open on which it failed to sign in. */
function giveUp(error: unknown): never {
  complain(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

function complain(line: string): void {
  process.stderr.write(`run-events-server: ${escapeText(line.replaceAll(/\s+/g, " "))}\n`);
}
