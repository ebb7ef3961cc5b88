import { findFreePort, startNginx, startPostgres } from "@tm/run-events-test-servers";
import { onTestFinished } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";
import { readSnippet } from "../src/snippets.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const PROXY_GUIDE = new URL("../../../docs/guides/proxy.md", import.meta.url);

/** What the guides start: two servers behind one nginx, on one Postgres. */
export interface Fleet {
  /** nginx's address. */
  readonly url: string;
  readonly storeUrl: string;
  readonly servers: readonly [ServerProcess, ServerProcess];
  /** Starts a server again on the port where it was. */
  restart(index: 0 | 1): Promise<void>;
}

/**
 * Starts the fleet with the guide's own nginx.conf, in which only the ports change.
 * @param owner the fleet is stopped when this ends
 */
export async function startFleet(owner: Owner = { onTestFinished }): Promise<Fleet> {
  const postgres = await startPostgres();
  owner.onTestFinished(() => postgres.close());
  const storeUrl = postgres.url;
  const start = (port: string): Promise<ServerProcess> =>
    startServer({
      storeUrl,
      owner,
      env: { PORT: port, SESSION_SECRET: "a secret that these servers share" },
    });
  const servers = await Promise.all([start("0"), start("0")]);
  const ports = servers.map(({ url }) => new URL(url).port);
  const port = `${await findFreePort()}`;
  let config = readSnippet(PROXY_GUIDE, "nginx.conf");
  for (const [written, free] of [
    ["8080", port],
    ["8081", ports[0]],
    ["8082", ports[1]],
  ] as const) {
    const parts = config.split(`127.0.0.1:${written}`);
    if (parts.length !== 2) throw new TypeError(`Expected the port ${written} once in nginx.conf.`);
    config = parts.join(`127.0.0.1:${free}`);
  }
  const nginx = await startNginx({ config });
  owner.onTestFinished(() => nginx.close());
  return {
    url: `http://127.0.0.1:${port}`,
    storeUrl,
    servers,
    async restart(index) {
      servers[index] = await start(ports[index] ?? "");
    },
  };
}
