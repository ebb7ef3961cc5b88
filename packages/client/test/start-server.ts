import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A server in a process of its own. */
export interface TestServer {
  readonly port: number;
  close(): void;
  /** Ends it as a crash would, and resolves when another one may have its port. */
  crash(): Promise<void>;
}

/**
 * Starts one.
 * @param file the SQLite file that keeps its runs; memory if none is given
 * @param port any free one if none is given
 */
export async function startServer(file?: string, port = 0): Promise<TestServer> {
  const script = fileURLToPath(new URL("server-process.ts", import.meta.url));
  const args = file === undefined ? [`${port}`] : [`${port}`, file];
  const child = fork(script, args, { execArgv: ["-C", "@tm/source"] });
  const ended = once(child, "exit");
  const failed = ended.then(([code]) => {
    throw new Error(`The server ended before it listened, with exit code ${code}.`);
  });
  const [listening] = (await Promise.race([once(child, "message"), failed])) as [number];
  return {
    port: listening,
    close: () => child.kill("SIGKILL"),
    async crash() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
