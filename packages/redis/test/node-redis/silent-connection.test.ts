import { startTcpProxy } from "@tm/run-events-test-servers";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import { expect, it, onTestFinished, vi } from "vitest";
import { fromNodeRedis, type NodeRedisClient } from "../../src/node-redis/index.ts";
import { openServer, openStore } from "../opened.ts";
import { openClient, openOn, PREFIX, withoutPolls } from "./opened-node-redis.ts";

it("S13: a connection for channels that has become silent is closed, and the next one notifies", async () => {
  const server = await openServer();
  const proxy = await startTcpProxy({ to: server });
  onTestFinished(() => proxy.close());
  const client = await openClient(server.url);
  const through: NodeRedisClient = {
    isOpen: true,
    options: client.options,
    sendCommand: (...sent) => client.sendCommand(...sent),
    duplicate: ({ socket, ...rest }) =>
      client.duplicate({ ...rest, url: `redis://${server.host}:${proxy.port}`, socket }),
  };
  const store = await openOn(withoutPolls(fromNodeRedis(through)));
  const { store: other } = await openStore(server, { prefix: PREFIX });
  await other.createRun(createOf("a"));
  const onNotification = vi.fn();
  await store.subscribe("a", onNotification).ready;
  const silent = proxy.connections();
  expect(silent).toHaveLength(1);
  proxy.stall();
  await expect.poll(() => proxy.connections(), { timeout: 20_000 }).not.toEqual(silent);
  proxy.resume();
  await expect.poll(() => onNotification.mock.calls.length).toBeGreaterThan(0);
  const seen = onNotification.mock.calls.length;
  await other.append([appendOf("a", 1)]);
  await expect.poll(() => onNotification.mock.calls.length).toBeGreaterThan(seen);
});
