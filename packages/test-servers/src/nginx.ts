import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import type { ProxyServer } from "./proxy-server.ts";
import { createServerProcess } from "./server-process.ts";
import { createWorkFolder } from "./work-folder.ts";

/**
 * Starts nginx with this `nginx.conf` and waits until it listens. Paths in it begin at the folder of its
 * own; `daemon` and `pid` are set already. Its port is for the caller to choose, with `findFreePort`.
 *
 * @throws Error with what nginx said, if it does not start
 */
export async function startNginx({ config }: { readonly config: string }): Promise<ProxyServer> {
  const command = findProgram("nginx");
  if (command === null) throw new Error("nginx is not installed: apt-get install nginx");
  const folder = await createWorkFolder("nginx");
  const configFile = join(folder.path, "nginx.conf");
  const process = createServerProcess(folder, {
    command,
    args: [
      "-p",
      folder.path,
      "-c",
      configFile,
      "-e",
      "stderr",
      "-g",
      `daemon off; pid ${join(folder.path, "nginx.pid")}; error_log stderr notice;`,
    ],
    readyText: "start worker process",
    endSignal: "SIGTERM",
  });
  try {
    await writeFile(configFile, config);
    // Root's nginx gives its work to another user.
    await chmod(folder.path, 0o755);
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
