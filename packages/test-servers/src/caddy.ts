import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import type { ProxyServer } from "./proxy-server.ts";
import { createServerProcess } from "./server-process.ts";
import { createWorkFolder } from "./work-folder.ts";

/**
 * Starts Caddy with this `Caddyfile` and waits until it listens. What it keeps, and the socket of its admin endpoint, are in
 * a folder of its own. Its port is for the caller to choose, with `findFreePort`.
 *
 * @throws Error with what Caddy said, if it does not start
 */
export async function startCaddy({ config }: { readonly config: string }): Promise<ProxyServer> {
  const command = findProgram("caddy");
  if (command === null) throw new Error("Caddy is not installed: apt-get install caddy");
  const folder = await createWorkFolder("caddy");
  const configFile = join(folder.path, "Caddyfile");
  const process = createServerProcess(folder, {
    command,
    args: ["run", "--adapter", "caddyfile", "--config", configFile],
    env: {
      XDG_CONFIG_HOME: folder.path,
      XDG_DATA_HOME: folder.path,
      CADDY_ADMIN: `unix/${join(folder.path, "admin.sock")}`,
    },
    readyText: "serving initial configuration",
    // At SIGTERM it waits for the answers under way, and a live stream is one.
    endSignal: "SIGKILL",
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
      await process.end("SIGKILL");
      await process.start();
    },
    close: process.close,
  };
}
