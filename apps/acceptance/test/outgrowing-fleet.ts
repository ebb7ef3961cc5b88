import { findFreePort, startHaproxy, startNginx, startPostgres } from "@tm/run-events-test-servers";
import { onTestFinished } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";
import { readSnippet } from "../src/snippets.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const GUIDES = new URL("../../../docs/guides/", import.meta.url);

/** The fleet of the guides: two servers behind one proxy, on one Postgres. */
export interface Fleet {
  /** The proxy's address. */
  readonly url: string;
  readonly storeUrl: string;
  readonly servers: readonly [ServerProcess, ServerProcess];
  /** Starts a server again on the port where it was. */
  restart(index: 0 | 1): Promise<void>;
}

/** The guide's own configurations. */
export const PROXIES: Readonly<
  Record<"nginx" | "HAProxy", { readonly config: string; readonly start: typeof startNginx }>
> = {
  nginx: { config: readSnippet(new URL("proxy.md", GUIDES), "nginx.conf"), start: startNginx },
  HAProxy: {
    config: readSnippet(new URL("haproxy.md", GUIDES), "haproxy.cfg"),
    start: startHaproxy,
  },
};

/** Options for starting a fleet. */
export interface FleetOptions {
  /** The fleet stops when this ends. Default: the test. */
  readonly owner?: Owner;
  /** Default nginx. */
  readonly proxy?: keyof typeof PROXIES;
  /** Makes the store's URL for the first server, as through a proxy that can be cut off. */
  readonly firstStore?: (storeUrl: string) => Promise<string>;
}

/** Starts the fleet with the guide's own configuration. Only the ports change, and the limits, to fit a small machine. */
export async function startFleet({
  owner = { onTestFinished },
  proxy = "nginx",
  firstStore = async (url) => url,
}: FleetOptions = {}): Promise<Fleet> {
  const postgres = await startPostgres();
  owner.onTestFinished(() => postgres.close());
  const storeUrl = postgres.url;
  const storeUrls = [await firstStore(storeUrl), storeUrl];
  const start = (index: number, port: string): Promise<ServerProcess> =>
    startServer({
      storeUrl: storeUrls[index] ?? storeUrl,
      owner,
      env: { PORT: port, SESSION_SECRET: "a secret that these servers share" },
    });
  const servers = await Promise.all([start(0, "0"), start(1, "0")]);
  const ports = servers.map(({ url }) => new URL(url).port);
  const port = `${await findFreePort()}`;
  const config = [
    ["127.0.0.1:8080", `127.0.0.1:${port}`],
    ["127.0.0.1:8081", `127.0.0.1:${ports[0]}`],
    ["127.0.0.1:8082", `127.0.0.1:${ports[1]}`],
  ].reduce(
    (text, [written = "", free = ""]) => text.replaceAll(written, free),
    // HAProxy does not start if the system allows fewer connections than `maxconn`.
    PROXIES[proxy].config.replace(/maxconn \d+/, "maxconn 1000"),
  );
  const running = await PROXIES[proxy].start({ config });
  owner.onTestFinished(() => running.close());
  return {
    url: `http://127.0.0.1:${port}`,
    storeUrl,
    servers,
    async restart(index) {
      servers[index] = await start(index, ports[index] ?? "");
    },
  };
}
