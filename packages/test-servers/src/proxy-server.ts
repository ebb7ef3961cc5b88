import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import { createServerProcess, type ServerProgram } from "./server-process.ts";
import { createWorkFolder } from "./work-folder.ts";

/** An HTTP proxy of its own. */
export interface ProxyServer {
  /** Ends it at once, with every connection through it, and starts it on the same port. */
  restart(): Promise<void>;
  /** Ends it and deletes its folder. Idempotent. */
  close(): Promise<void>;
}

/** The text of a proxy's configuration file. The caller chooses the port in it with `findFreePort`. */
export interface ProxyOptions {
  readonly config: string;
}

/**
 * Starts a proxy of the system in a folder of its own, and waits until it listens.
 *
 * @param describe how the program is run in this folder, with the configuration in the file `config` there
 * @throws Error with what it said, if it does not start
 */
export async function startProxy(
  name: string,
  { config }: ProxyOptions,
  describe: (folder: string) => Omit<ServerProgram, "command">,
): Promise<ProxyServer> {
  const command = findProgram(name);
  if (command === null) throw new Error(`${name} is not installed: apt-get install ${name}`);
  const folder = await createWorkFolder(name);
  const program = describe(folder.path);
  const process = createServerProcess(folder, { command, ...program });
  try {
    await writeFile(join(folder.path, "config"), config);
    // As root, nginx gives its work to another user.
    await chmod(folder.path, 0o755);
    await process.start();
  } catch (error) {
    await process.close();
    throw error;
  }
  return {
    async restart() {
      await process.end(program.endSignal);
      await process.start();
    },
    close: process.close,
  };
}
