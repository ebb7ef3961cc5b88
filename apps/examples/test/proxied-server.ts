import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  findFreePort,
  type ProxyServer,
  startCaddy,
  startNginx,
} from "@tm/run-events-test-servers";
import { onTestFinished } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";
import { ADA, type Client, createClient } from "./client.ts";
import { type RecipeProcess, startRecipeProcess } from "./recipe-process.ts";

/** A proxy, configured to listen on 8080 in front of 8081. */
export interface ProxyTrial {
  readonly name: string;
  readonly config: string;
  readonly start: (options: { readonly config: string }) => Promise<ProxyServer>;
  /** Whether it compresses live streams: by default it does not. */
  readonly compresses?: boolean;
}

/** The reference server behind a proxy. */
export interface Proxied extends Client {
  readonly url: string;
  readonly proxy: ProxyServer;
  /** Ends the server, and starts it again on its port when `when` has come. */
  restartServer(when: Promise<void>): Promise<void>;
}

const SERVER = join(import.meta.dirname, "../../server/src/workspace/main.ts");

const read = (file: string): string =>
  readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8");

export const NGINX: ProxyTrial = { name: "nginx", config: read("nginx.conf"), start: startNginx };
export const CADDY: ProxyTrial = { name: "Caddy", config: read("Caddyfile"), start: startCaddy };
/** nginx without the lines after the address. */
export const BARE_NGINX: ProxyTrial = {
  name: "nginx at its defaults",
  config: NGINX.config.replaceAll(/^ *(?:proxy_(?!pass)|client_).*\n/gm, ""),
  start: startNginx,
};
/** As configured here, and with `gzip on`. */
export const GZIP_NGINX: ProxyTrial = {
  name: "nginx with gzip",
  config: NGINX.config.replace("http {", "http {\n  gzip on;\n  gzip_proxied any;"),
  start: startNginx,
};
/** It compresses streams as well, against their `no-transform`, and passes on what it has at each frame. */
export const GREEDY_NGINX: ProxyTrial = {
  name: "nginx with gzip for all types",
  config: GZIP_NGINX.config.replace("gzip on;", "gzip on;\n  gzip_types *;"),
  start: startNginx,
  compresses: true,
};
export const BARE_CADDY: ProxyTrial = {
  name: "Caddy at its defaults",
  config: CADDY.config.replaceAll(/ \{\n\t\tlb_.*\n\t\}|\t@page.*\n|\tencode.*\n/g, ""),
  start: startCaddy,
};

/** Starts the reference server, with short heartbeats, and a proxy in front of it. Both end when the test has finished. */
export async function startBehind(
  { config, start }: ProxyTrial,
  owner: Owner = { onTestFinished },
): Promise<Proxied> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-proxied-"));
  owner.onTestFinished(() => rm(folder, { recursive: true }));
  const env = {
    STORE_URL: `sqlite:${join(folder, "runs.db")}`,
    API_TOKENS: `ada=${ADA}`,
    HEARTBEAT_MS: "200",
  };
  const startServer = (PORT: string): Promise<RecipeProcess> =>
    startRecipeProcess(["-C", "@tm/source", SERVER], folder, { ...env, PORT });
  let server = await startServer("0");
  owner.onTestFinished(async () => void (await server.end("SIGKILL")));
  // It starts again on the port that it got.
  const { host, port: serverPort } = new URL(server.url);
  const port = await findFreePort();
  const placed = config
    .replace("127.0.0.1:8080", `127.0.0.1:${port}`)
    .replace("127.0.0.1:8081", host);
  const proxy = await start({ config: placed });
  owner.onTestFinished(() => proxy.close());
  const url = `http://127.0.0.1:${port}`;
  return {
    ...createClient(() => url, { sessionPath: "/v1/session" }),
    url,
    proxy,
    async restartServer(when) {
      await server.end("SIGKILL");
      await when;
      server = await startServer(serverPort);
    },
  };
}
