import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Readable } from "node:stream";
import type { OutputName } from "./screen.ts";

/** The time that a signal has to end the command before a stronger one follows, in milliseconds. */
const GRACE_MS = 5_000;

/** The end of a command. */
export type ChildExit =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signalled"; readonly signal: NodeJS.Signals }
  /** It could not be started, for the reason of the system's code, such as `ENOENT`. */
  | { readonly kind: "not_started"; readonly code: string };

/** A command that is running. */
export interface Child {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process has ended. Its output may still have something to read. */
  readonly exited: Promise<ChildExit>;
  /** Resolves when the process has ended, unless a signal from here may still end other processes that hold its output. */
  readonly exitedAlone: Promise<void>;
  /** Whether the process has ended. */
  hasExited(): boolean;
  /** Sends the signal. If the command does not end, stronger ones follow. */
  stop(signal: NodeJS.Signals): void;
  /**
   * Ends the command at once, and its output with it.
   * @returns false if the system refuses the signal, because the command now runs as another user
   */
  kill(): boolean;
  /** Stops reading this output: the command gets `SIGPIPE` when it writes more. */
  closeOutput(output: OutputName): void;
}

/** Options for starting a command. */
export interface ChildOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /**
   * Whether standard input is a terminal. A terminal sends Ctrl-C to every process in the foreground, so `SIGINT` is not sent again.
   * Without a terminal, the command leads its own process group, and signals reach all processes that it has started.
   */
  readonly hasTerminal: boolean;
  /** Called when the system refuses to send this signal to the command, with the system's code, such as `EPERM`. */
  readonly onRefused: (signal: NodeJS.Signals, code: string) => void;
}

/** Starts a command. */
export function startChild(options: ChildOptions): Child {
  const { command, env, hasTerminal } = options;
  const [file, ...args] = command;
  try {
    const stdio = ["inherit", "pipe", "pipe"] as const;
    return new RunningChild(
      spawn(file, args, { stdio: [...stdio], env, detached: !hasTerminal }),
      options,
    );
  } catch (error) {
    // Some failures, such as a name that is too long, are thrown at once and cause no event.
    return neverStarted(error);
  }
}

class RunningChild implements Child {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ChildExit>;
  readonly exitedAlone: Promise<void>;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #options: ChildOptions;
  #timer: NodeJS.Timeout | undefined;
  #hasExited = false;
  #isStopping = false;
  #isRefused = false;

  constructor(process: ChildProcessByStdio<null, Readable, Readable>, options: ChildOptions) {
    this.#process = process;
    this.#options = options;
    this.stdout = process.stdout;
    this.stderr = process.stderr;
    const exited = Promise.withResolvers<ChildExit>();
    const exitedAlone = Promise.withResolvers<void>();
    this.exited = exited.promise;
    this.exitedAlone = exitedAlone.promise;
    const exit = (childExit: ChildExit): void => {
      this.#hasExited = true;
      exited.resolve(childExit);
      if (!this.#isStopping || this.#isRefused) exitedAlone.resolve();
    };
    process.once("error", (error) => exit(notStarted(error)));
    process.once("exit", (exitCode, signal) =>
      exit(
        signal === null
          ? { kind: "exited", exitCode: exitCode ?? 1 }
          : { kind: "signalled", signal },
      ),
    );
    // After `close`, no process is left that could hold the output open.
    process.once("close", () => clearTimeout(this.#timer));
  }

  hasExited(): boolean {
    return this.#hasExited;
  }

  stop(signal: NodeJS.Signals): void {
    this.#isStopping = true;
    if (!(this.#options.hasTerminal && signal === "SIGINT")) this.#send(signal);
    this.#after(GRACE_MS, () => {
      if (signal === "SIGTERM") {
        this.kill();
        return;
      }
      this.#send("SIGTERM");
      this.#after(GRACE_MS, () => void this.kill());
    });
  }

  kill(): boolean {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    // A command that is still running is still read. Processes that it has left are not.
    if (!this.#send("SIGKILL") && !this.#hasExited) return false;
    this.closeOutput("stdout");
    this.closeOutput("stderr");
    return true;
  }

  closeOutput(output: OutputName): void {
    this[output].destroy();
  }

  #after(ms: number, task: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(task, ms);
  }

  /** @returns whether the signal has arrived, or no process is left that could get it */
  #send(signal: NodeJS.Signals): boolean {
    const { hasTerminal, onRefused } = this.#options;
    const { pid } = this.#process;
    // The id of an ended process may belong to another one. The id of its group does not while the group has a process.
    if (pid === undefined || (hasTerminal && this.#hasExited)) return true;
    try {
      process.kill(hasTerminal ? pid : -pid, signal);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === "ESRCH") return true;
      this.#isRefused = true;
      onRefused(signal, code);
      return false;
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

function notStarted(error: unknown): ChildExit {
  return { kind: "not_started", code: codeOf(error) };
}

function neverStarted(error: unknown): Child {
  return {
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    exited: Promise.resolve(notStarted(error)),
    exitedAlone: Promise.resolve(),
    hasExited: () => true,
    stop() {},
    kill: () => true,
    closeOutput() {},
  };
}
