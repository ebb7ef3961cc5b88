import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A server in its own process. */
export interface TestServer {
  readonly port: number;
  close(): void;
  /** Kills the server, as in a crash. Resolves when another server may take its port. */
  crash(): Promise<void>;
}

/**
 * Starts a server.
 * @param file the SQLite file of its runs; without it, memory
 * @param port without it, any free port
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
