import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { withFreePort } from "./free-port.ts";
import type { SystemUser } from "./unprivileged-user.ts";
import type { EndSignal, WorkFolder } from "./work-folder.ts";

/** Options for running a server's program. */
export interface ServerProgram {
  /** The program's whole path. */
  readonly command: string;
  /** The arguments of its command line. It must stay in the foreground. */
  readonly args: readonly string[];
  /** Variables besides those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** The text that it prints, on either output, once it accepts connections. */
  readonly readyText: string;
  readonly endSignal: EndSignal;
  /** The user that runs it. Default null: the user that runs the tests. */
  readonly user?: SystemUser | null;
}

/** A server's process in its folder, which can end and start again. */
export interface ServerProcess {
  readonly running: boolean;
  /**
   * Starts it and waits until it accepts connections.
   *
   * @throws TypeError if it runs
   * @throws Error with what it said, if it ends before it is ready
   */
  start(): Promise<void>;
  /** Sends a signal and waits until it has ended. Nothing to do if it does not run. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Sends a signal, such as SIGSTOP, and does not wait. Nothing to do if it does not run. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once and deletes the folder. Idempotent. */
  close(): Promise<void>;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

// Enough to tell why a server did not start.
const MAX_OUTPUT_LENGTH = 16_384;

/** Describes a server's process. Nothing runs before `start`. */
export function createServerProcess(folder: WorkFolder, program: ServerProgram): ServerProcess {
  let current: { readonly child: Child; readonly closed: Promise<unknown> } | null = null;
  let closing: Promise<void> | undefined;

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (current === null) return;
    const { child, closed } = current;
    child.kill(signal);
    await closed;
  }

  return {
    get running() {
      return current !== null;
    },
    async start() {
      if (current !== null) throw new TypeError(`${program.command} runs already.`);
      const child = spawn(program.command, program.args, {
        cwd: folder.path,
        // The ready text is English.
        env: { ...process.env, LC_ALL: "C", ...program.env },
        stdio: ["ignore", "pipe", "pipe"],
        ...program.user,
      });
      const closed = once(child, "close").finally(() => {
        current = null;
        folder.guard(null);
      });
      current = { child, closed };
      if (child.pid !== undefined) folder.guard({ pid: child.pid, signal: program.endSignal });
      await untilReady(child, closed, program);
    },
    end,
    signal: (signal) => void current?.child.kill(signal),
    close() {
      closing ??= end(program.endSignal).then(() => folder.remove());
      return closing;
    },
  };
}

async function untilReady(
  child: Child,
  closed: Promise<unknown>,
  { command, readyText }: ServerProgram,
): Promise<void> {
  let output = "";
  const ready = new Promise<void>((resolve) => {
    // It listens as long as the process lives: a server whose output is not read stops at a full pipe.
    function read(chunk: string): void {
      output = (output + chunk).slice(-MAX_OUTPUT_LENGTH);
      if (output.includes(readyText)) resolve();
    }
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
  });
  const ended = closed.then(() => {
    throw new Error(`${command} ended before it was ready:\n${output}`);
  });
  await Promise.race([ready, ended]);
}

/** A server that listens on a port of its own. */
export interface StartedServer {
  readonly port: number;
  readonly process: ServerProcess;
}

/**
 * Starts a program on a free port. If it does not start, its folder is deleted.
 *
 * @throws Error with what it said
 */
export async function startOnFreePort(
  folder: WorkFolder,
  describeProgram: (port: number) => Promise<ServerProgram> | ServerProgram,
): Promise<StartedServer> {
  try {
    return await withFreePort(async (port) => {
      const process = createServerProcess(folder, await describeProgram(port));
      await process.start();
      return { port, process };
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
