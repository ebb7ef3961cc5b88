import { join } from "node:path";
import { type ProxyOptions, type ProxyServer, startProxy } from "./proxy-server.ts";

/** Starts Caddy with this `Caddyfile`. What it keeps, and the socket of its admin endpoint, are in its folder. */
export function startCaddy(options: ProxyOptions): Promise<ProxyServer> {
  return startProxy("caddy", options, (folder) => ({
    args: ["run", "--adapter", "caddyfile", "--config", "config"],
    env: {
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder,
      CADDY_ADMIN: `unix/${join(folder, "admin.sock")}`,
    },
    readyText: "serving initial configuration",
    // At SIGTERM it waits for the answers under way, and a live stream is one.
    endSignal: "SIGKILL",
  }));
}

/** Starts HAProxy with this `haproxy.cfg`. */
export function startHaproxy(options: ProxyOptions): Promise<ProxyServer> {
  return startProxy("haproxy", options, () => ({
    // With a master process, which reports when its worker listens.
    args: ["-W", "-db", "-f", "config"],
    readyText: "Loading success",
    endSignal: "SIGTERM",
  }));
}

/** Starts nginx with this `nginx.conf`, in which `daemon` and `pid` are set already. Paths in it begin at its folder. */
export function startNginx(options: ProxyOptions): Promise<ProxyServer> {
  return startProxy("nginx", options, (folder) => ({
    args: [
      ["-p", folder, "-c", join(folder, "config"), "-e", "stderr"],
      ["-g", `daemon off; pid ${join(folder, "nginx.pid")}; error_log stderr notice;`],
    ].flat(),
    readyText: "start worker process",
    endSignal: "SIGTERM",
  }));
}
