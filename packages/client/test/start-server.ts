import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A server in a process of its own. */
export interface TestServer {
  readonly port: number;
  close(): void;
}

/** Starts one. */
export async function startServer(): Promise<TestServer> {
  const script = fileURLToPath(new URL("server-process.ts", import.meta.url));
  const child = fork(script, [], { execArgv: ["-C", "@tm/source"] });
  const [port] = (await once(child, "message")) as [number];
  return { port, close: () => child.kill("SIGKILL") };
}
