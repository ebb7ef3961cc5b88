import { setImmediate } from "node:timers/promises";
import { type RedisServer, startTcpProxy } from "@tm/run-events-test-servers";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import type { Redis } from "ioredis";
import { expect, it, onTestFinished, vi } from "vitest";
import { fromNodeRedis } from "../../src/node-redis/index.ts";
import { append } from "../single-calls.ts";
import { connect, openServer, openStore } from "../opened.ts";
import type { connectNodeRedis } from "./node-redis-doors.ts";
import { openClient, openOn, PREFIX, withoutPolls } from "./opened-node-redis.ts";

/** The ids of the connections that subscribe, and of the others, but for the one that asks. */
async function connectionsOf(eye: Redis): Promise<Record<"subscribers" | "others", string[]>> {
  const own = String(await eye.client("ID"));
  const lines = String(await eye.client("LIST"))
    .trim()
    .split("\n");
  const found: Record<"subscribers" | "others", string[]> = { subscribers: [], others: [] };
  for (const line of lines) {
    const id = / ?id=(\d+)/.exec(line)?.[1] ?? "";
    if (id === own) continue;
    found[/ sub=[1-9]/.test(line) ? "subscribers" : "others"].push(id);
  }
  return found;
}

async function kill(eye: Redis, ids: readonly string[]): Promise<void> {
  for (const id of ids) await eye.client("KILL", "ID", id);
}

async function openReader(server: RedisServer, wrap = withoutPolls) {
  const eye = connect(server);
  const store = await openOn(wrap(fromNodeRedis(await openClient(server.url))));
  const { store: other } = await openStore(server, { prefix: PREFIX });
  await other.createRun(createOf("a"));
  const onNotification = vi.fn();
  await store.subscribe("a", onNotification).ready;
  return { eye, store, other, onNotification };
}

it("S13: commits of other processes arrive by messages, and do so again after the connection for channels was killed", async () => {
  const { eye, other, onNotification } = await openReader(await openServer());
  for (const round of oneTo(3)) {
    const seen = onNotification.mock.calls.length;
    await other.append([appendOf("a", round)]);
    await expect.poll(() => onNotification.mock.calls.length).toBeGreaterThan(seen);
    const { subscribers } = await connectionsOf(eye);
    expect(subscribers).toHaveLength(1);
    await kill(eye, subscribers);
    const before = onNotification.mock.calls.length;
    // While nothing is subscribed.
    await other.append([appendOf("a", -round)]);
    // The new subscription notifies of what was missed.
    await expect.poll(() => onNotification.mock.calls.length).toBeGreaterThan(before);
    await expect
      .poll(async () =>
        (await connectionsOf(eye)).subscribers.filter((id) => !subscribers.includes(id)),
      )
      .toHaveLength(1);
  }
});

/** Sends an append, and cuts its connection once the server has it and its answer is on the way. */
async function loseAnswer(options: Parameters<typeof connectNodeRedis>[1]) {
  const server = await openServer();
  const proxy = await startTcpProxy({ to: server });
  onTestFinished(() => proxy.close());
  const client = await openClient(`redis://${server.host}:${proxy.port}`, options);
  const store = await openOn(fromNodeRedis(client));
  const { store: other } = await openStore(server, { prefix: PREFIX });
  await other.createRun(createOf("a"));
  // The server then knows the script, and needs no second command for it.
  await other.append([appendOf("a", 0)]);
  proxy.stallAnswers();
  // Without core, which would send it again for a while.
  const appended = Promise.allSettled([append(store.inner, appendOf("a", 1))]);
  await expect.poll(() => readValues(other, "a")).toEqual([0, 1]);
  proxy.cut();
  proxy.resume();
  const [outcome] = await appended;
  expect(await readValues(other, "a")).toEqual([0, 1]);
  return outcome;
}

it("S7: an append whose connection broke before the answer is sent again, and has landed once", async () => {
  expect(await loseAnswer({})).toMatchObject({
    status: "fulfilled",
    value: { firstSequence: 2 },
  });
});

it("S7: an append without an answer is ambiguous if the client gives up", async () => {
  expect(await loseAnswer({ socket: { reconnectStrategy: false } })).toMatchObject({
    status: "rejected",
    reason: { code: "store_unavailable", ambiguous: true },
  });
});

it("S18: the connection for channels ends with the store, also while it reconnects", async () => {
  const server = await openServer();
  const { eye, store } = await openReader(server);
  expect((await connectionsOf(eye)).subscribers).toHaveLength(1);
  await kill(eye, (await connectionsOf(eye)).subscribers);
  await store.close();
  await expect.poll(async () => (await connectionsOf(eye)).subscribers).toEqual([]);
});

it("S18: a store that is closed while its connection for channels opens leaves none", async () => {
  const server = await openServer();
  const eye = connect(server);
  const client = await openClient(server.url);
  const countAll = async (): Promise<number> =>
    Object.values(await connectionsOf(eye)).flat().length;
  const before = await countAll();
  for (const turns of oneTo(20)) {
    const store = await openOn(fromNodeRedis(client));
    void store.subscribe("a", () => {}).ready.catch(() => {});
    // Each time a little later: before the socket is connected, before the server is greeted, and after it.
    for (const turn of oneTo(turns)) await setImmediate(turn);
    await store.close();
  }
  // A later connection is served after those that the stores have begun.
  await (await openClient(server.url)).ping();
  await expect.poll(countAll).toBe(before + 1);
});

it("S20: a client that has given up makes the store unavailable for good", async () => {
  const server = await openServer();
  const client = await openClient(server.url, { socket: { reconnectStrategy: false } });
  const store = await openOn(fromNodeRedis(client));
  await server.kill();
  await expect.poll(() => client.isOpen).toBe(false);
  await expect(store.getRun("a")).rejects.toMatchObject({
    message: "The Redis client is closed. Open a store on a new one.",
    retryable: false,
  });
});
