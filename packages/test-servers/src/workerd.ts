import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { HOST } from "./free-port.ts";
import { startOnFreePort } from "./server-process.ts";
import { createWorkFolder } from "./work-folder.ts";

/** A worker and the class of its Durable Objects, which have SQLite. */
export interface WorkerOptions {
  /** An ES module without imports. It has the objects' namespace as `env.OBJECTS`. */
  readonly script: string;
  /** The name under which the script exports the class. */
  readonly className: string;
}

/** The runtime of Cloudflare Workers with one worker. It keeps the objects' data in its folder. */
export interface WorkerServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** SIGKILL: a crash. Resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and data. */
  start(): Promise<void>;
  /** Ends it and deletes its folder. Idempotent. */
  close(): Promise<void>;
}

/** The path of the program: the package has no types. */
const { default: program } = createRequire(import.meta.url)("workerd") as {
  readonly default: string;
};

/** Without `nodejs_compat`: no module of Node can be imported. */
const COMPATIBILITY_DATE = "2026-07-01";

/**
 * Starts workerd with a worker on a free port of 127.0.0.1.
 *
 * @throws Error with what it said, if it does not start
 */
export async function startWorkerd({ script, className }: WorkerOptions): Promise<WorkerServer> {
  const folder = await createWorkFolder("workerd");
  const { port, process } = await startOnFreePort(folder, async (port) => {
    await mkdir(join(folder.path, "objects"), { recursive: true });
    await writeFile(join(folder.path, "worker.js"), script);
    await writeFile(join(folder.path, "config.capnp"), configOf(port, className));
    return {
      command: program,
      args: ["serve", "--control-fd=1", "config.capnp"],
      readyText: '"event":"listen"',
      endSignal: "SIGKILL",
    };
  });
  return {
    url: `http://${HOST}:${port}`,
    kill: () => process.end("SIGKILL"),
    start: () => process.start(),
    close: () => process.close(),
  };
}

function configOf(port: number, className: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "objects", disk = (path = "objects", writable = true)),
  ],
  sockets = [(name = "http", address = "${HOST}:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  durableObjectNamespaces = [(className = "${className}", uniqueKey = "objects", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [(name = "OBJECTS", durableObjectNamespace = "${className}")],
);
`;
}
