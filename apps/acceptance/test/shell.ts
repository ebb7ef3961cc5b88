import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Owner } from "../../server/test/start-server.ts";

/** The folder and the environment in which a guide's block runs. */
export interface ShellPlace {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A block that goes on running. */
export interface RunningShell {
  /**
   * Waits for what the block prints.
   * @returns the match, and all that was printed so far
   * @throws Error with what was printed, if the block ends before
   */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/** The Node that runs the tests comes first, as a user's would. */
function environmentOf({ env }: ShellPlace): NodeJS.ProcessEnv {
  const path = [env?.["PATH"], dirname(process.execPath), process.env["PATH"], "/usr/sbin"];
  return { ...process.env, ...env, PATH: path.filter(Boolean).join(":") };
}

/** Runs a guide's block to its end. @returns what it prints */
export async function runBlock(block: string, place: ShellPlace): Promise<string> {
  const options = { cwd: place.cwd, env: environmentOf(place) };
  return (await promisify(execFile)("sh", ["-ec", block], options)).stdout;
}

/**
 * Starts a guide's block, which is killed with all that it has started when its owner ends.
 * @param shell the command line of the shell
 */
export function startBlock(
  block: string,
  place: ShellPlace,
  owner: Owner,
  shell: readonly string[] = ["sh"],
): RunningShell {
  const [program = "sh", ...words] = shell;
  const child = spawn(program, [...words, "-ec", block], {
    cwd: place.cwd,
    env: environmentOf(place),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes: Buffer) => {
      output += bytes.toString();
      for (const listen of listeners) listen();
    });
  }
  let isClosed = false;
  const ended = once(child, "close").then(() => {
    isClosed = true;
    for (const listen of listeners) listen();
    return child.exitCode;
  });
  owner.onTestFinished(async () => {
    // The signal goes to the whole group, because npx passes no signal on.
    if (!isClosed && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await ended;
  });
  return {
    ended,
    prints: (pattern) =>
      new Promise((resolve, reject) => {
        const listen = (): void => {
          const match = pattern.exec(output);
          if (match === null && !isClosed) return;
          listeners.delete(listen);
          if (match !== null) resolve(match);
          else reject(new Error(`Expected ${pattern.source} of a block that printed: ${output}`));
        };
        listeners.add(listen);
        listen();
      }),
  };
}
