import {
  type RedisOptions as ServerOptions,
  type RedisServer,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import { type CommonRedisOptions, Redis } from "ioredis";
import { onTestFinished } from "vitest";
import type { RedisStoreOptions } from "../src/index.ts";
import { keysOf, type RunKeys } from "../src/keys.ts";
import { openRedisStore, type RedisStore } from "./ruled-store.ts";

/** Settings of a client, without the one whose type makes the replies unlike those of the other clients. */
export type ClientOptions = Omit<CommonRedisOptions, "replyMapping">;

/** A server that ends after the test. */
export async function openServer(options?: ServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.close());
  return server;
}

/** A proxy in front of a server; it ends after the test. */
export async function openProxy(to: {
  readonly host: string;
  readonly port: number;
}): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ to });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Ends a client after the test. Its errors only show in the commands that they fail. */
export function owned<
  Client extends { disconnect(): void; on(event: "error", listener: () => void): unknown },
>(client: Client): Client {
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** A client that reconnects at once; it ends after the test. */
export function connect(
  to: { readonly host: string; readonly port: number },
  options: ClientOptions = {},
): Redis {
  return owned(new Redis(to.port, to.host, { retryStrategy: () => 10, ...options }));
}

/** A store on its own client; both end after the test. */
export async function openStore(
  to: { readonly host: string; readonly port: number },
  options?: RedisStoreOptions,
  clientOptions?: ClientOptions,
): Promise<{ readonly redis: Redis; readonly store: RedisStore }> {
  const redis = connect(to, clientOptions);
  const store = await openRedisStore(redis, options);
  onTestFinished(() => store.close());
  return { redis, store };
}

/** All keys of the server, so that a test can check that a refused call changed nothing. */
export async function dump(redis: Redis): Promise<unknown> {
  const keys = (await redis.keys("*")).toSorted();
  return Promise.all(keys.map(async (key) => [key, (await redis.dumpBuffer(key)).toString("hex")]));
}

/** The keys of a run of the tests' owner; its channel has the name of its head. */
export function runKeys(runId: string, prefix = "run-events"): RunKeys {
  return keysOf(prefix, "").ofRun({ ownerId: "ada", runId });
}
