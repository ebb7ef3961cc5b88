import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Readable } from "node:stream";

/** How long a signal may take to end the command before a stronger one follows, in milliseconds. */
const GRACE_MS = 5_000;

/** How a command ended. */
export type ChildExit =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signalled"; readonly signal: NodeJS.Signals }
  /** It was never there: the system's code says why, such as `ENOENT`. */
  | { readonly kind: "not_started"; readonly code: string };

/** A command that is running. */
export interface Child {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process has gone. Its output may still have something to read. */
  readonly exited: Promise<ChildExit>;
  /** Sends the signal, and if the command does not end, stronger ones after a while. */
  stop(signal: NodeJS.Signals): void;
  /** Ends the command at once, and its output with it. */
  kill(): void;
}

/**
 * Starts a command. Where there is a terminal, that gives Ctrl-C to everything in the foreground, so `SIGINT` is not sent a
 * second time. Without one the command leads a process group of its own, and signals reach all that it has started.
 */
export function startChild(
  [file, ...args]: readonly [string, ...string[]],
  hasTerminal: boolean,
): Child {
  let child: ChildProcessByStdio<null, Readable, Readable>;
  try {
    child = spawn(file, args, { stdio: ["inherit", "pipe", "pipe"], detached: !hasTerminal });
  } catch (error) {
    // Some failures, such as a name that is too long, come at once instead of as an event.
    return neverStarted(error);
  }
  let timer: NodeJS.Timeout | undefined;

  const exited = new Promise<ChildExit>((resolve) => {
    child.once("error", (error) => resolve(notStarted(error)));
    child.once("exit", (exitCode, signal) => {
      resolve(
        signal === null
          ? { kind: "exited", exitCode: exitCode ?? 1 }
          : { kind: "signalled", signal },
      );
    });
  });
  // Only then nobody is left who could hold the output open.
  child.once("close", () => clearTimeout(timer));

  function send(signal: NodeJS.Signals): void {
    if (child.pid === undefined) return;
    try {
      process.kill(hasTerminal ? child.pid : -child.pid, signal);
    } catch (error) {
      // It has gone by itself.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }

  function kill(): void {
    clearTimeout(timer);
    send("SIGKILL");
    child.stdout.destroy();
    child.stderr.destroy();
  }

  return {
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    kill,
    stop(signal) {
      if (!(hasTerminal && signal === "SIGINT")) send(signal);
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (signal === "SIGTERM") {
          kill();
          return;
        }
        send("SIGTERM");
        timer = setTimeout(kill, GRACE_MS);
      }, GRACE_MS);
    },
  };
}

function notStarted(error: unknown): ChildExit {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return { kind: "not_started", code };
}

function neverStarted(error: unknown): Child {
  return {
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    exited: Promise.resolve(notStarted(error)),
    stop() {},
    kill() {},
  };
}
