import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import type { ProxyServer } from "./proxy-server.ts";
import { createServerProcess } from "./server-process.ts";
import { createWorkFolder } from "./work-folder.ts";

/**
 * Starts HAProxy with this `haproxy.cfg` and waits until it listens. The caller chooses its port with `findFreePort`.
 *
 * @throws Error with what HAProxy said, if it does not start
 */
export async function startHaproxy({ config }: { readonly config: string }): Promise<ProxyServer> {
  const command = findProgram("haproxy");
  if (command === null) throw new Error("HAProxy is not installed: apt-get install haproxy");
  const folder = await createWorkFolder("haproxy");
  const configFile = join(folder.path, "haproxy.cfg");
  const process = createServerProcess(folder, {
    command,
    // With a master process, which reports when its worker listens.
    args: ["-W", "-db", "-f", configFile],
    readyText: "Loading success",
    endSignal: "SIGTERM",
  });
  try {
    await writeFile(configFile, config);
    await process.start();
  } catch (error) {
    await process.close();
    throw error;
  }
  return {
    async restart() {
      await process.end("SIGTERM");
      await process.start();
    },
    close: process.close,
  };
}
