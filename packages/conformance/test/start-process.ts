import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const BIN = fileURLToPath(new URL("../src/bin/main.ts", import.meta.url));
const MODULES = fileURLToPath(new URL("./modules/", import.meta.url));
/** The command `npx run-events-conformance` in this repository, for a shell. */
export const BIN_COMMAND: string = `"${process.execPath}" -C @tm/source "${BIN}"`;

/** The result of a process. */
interface Ended {
  readonly code: number | null;
  /** The signal that killed it; `null` if none did. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that is under way. */
export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves once it has printed this. */
  printed(text: string): Promise<void>;
  interrupt(): void;
}

/** Starts a command of a shell in the folder of the modules. It ends with the test at the latest. */
export function startShell(command: string): Running {
  return start("sh", ["-c", command]);
}

/** Starts the bin in the folder of the modules. */
export function startBin(...args: readonly string[]): Running {
  return start(process.execPath, ["-C", "@tm/source", BIN, ...args]);
}

function start(file: string, args: readonly string[]): Running {
  const child = spawn(file, args, { cwd: MODULES, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const printed = { stdout: "", stderr: "" };
  let onOutput = Promise.withResolvers<void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      printed[name] += text;
      onOutput.resolve();
      onOutput = Promise.withResolvers<void>();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...printed }));
  });
  return {
    ended,
    async printed(text) {
      while (!printed.stdout.includes(text)) await onOutput.promise;
    },
    interrupt: () => void child.kill("SIGINT"),
  };
}
