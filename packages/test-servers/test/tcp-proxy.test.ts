import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { startTcpProxy, type TcpProxy } from "../src/index.ts";
import { listens } from "../src/listens.ts";

it("bytes and ends pass both ways, each side in its own time", async () => {
  const server = await startEcho();
  const proxy = await open(server);
  const client = dial(proxy);
  const big = "x".repeat(4_000_000);
  client.end(big);
  // The end of one direction leaves the other open.
  expect(await text(client)).toBe(big);
});

it("while it is stalled nothing passes and nothing is lost, on old connections and new", async () => {
  const server = await startEcho();
  const proxy = await open(server);
  const old = dial(proxy);
  old.write("before");
  await once(old, "data");
  proxy.stall();
  const answers = [old, dial(proxy)].map((client) => text(client.end("during")));
  await expect
    .poll(() => proxy.connections().map((one) => one.hasSent("during")))
    .toEqual([true, true]);
  expect(server.received()).toBe("before");
  proxy.resume();
  expect(await Promise.all(answers)).toEqual(["during", "during"]);
});

it("what was held back passes at once", async () => {
  const proxy = await open(await startEcho());
  const client = dial(proxy);
  client.write("before");
  await once(client, "data");
  proxy.stall();
  for (const words of ["one", "two"]) {
    client.write(words);
    await expect.poll(() => proxy.connections().map((one) => one.hasSent(words))).toEqual([true]);
  }
  const received = once(client, "data");
  proxy.resume();
  expect(String((await received)[0])).toBe("onetwo");
});

it("while answers are stalled the server receives from its client, and the client receives nothing until they pass", async () => {
  const server = await startEcho();
  const proxy = await open(server);
  const client = dial(proxy);
  client.write("before");
  await once(client, "data");
  proxy.stallAnswers();
  const answer = text(client.end("during"));
  await expect.poll(() => server.received()).toBe("beforeduring");
  expect(client.bytesRead).toBe("before".length);
  proxy.resume();
  expect(await answer).toBe("during");
});

it("a stalled connection stays open and silent, and the others go on", async () => {
  const server = await startEcho();
  const proxy = await open(server);
  const silent = dial(proxy);
  silent.write("before");
  await once(silent, "data");
  proxy.connections()[0]?.stall();
  silent.end("during");
  const other = dial(proxy);
  expect(await text(other.end("other"))).toBe("other");
  expect(server.received()).toBe("beforeother");
  expect(silent.bytesRead).toBe("before".length);
  expect(silent.closed).toBe(false);
  const cut = once(silent, "close");
  proxy.cut();
  await cut;
});

it("a name that moves leads new connections to the other server, and leaves open ones where they are", async () => {
  const [first, second] = [await startEcho(), await startEcho()];
  const proxy = await open(first);
  const old = dial(proxy);
  old.write("one");
  await once(old, "data");
  proxy.moveTo(second);
  for (const [client, words] of [
    [old, "two"],
    [dial(proxy), "three"],
  ] as const) {
    client.write(words);
    await once(client, "data");
  }
  expect([first.received(), second.received()]).toEqual(["onetwo", "three"]);
});

it("one connection is cut by what it has sent, and the others stay", async () => {
  const proxy = await open(await startEcho());
  const [listening, other] = [dial(proxy), dial(proxy)];
  for (const [client, words] of [
    [listening, "LISTEN notify"],
    [other, "SELECT 1"],
  ] as const) {
    client.write(words);
    await once(client, "data");
  }
  const cut = once(listening, "close");
  for (const connection of proxy.connections()) if (connection.hasSent("LISTEN")) connection.cut();
  await cut;
  expect(proxy.connections()).toHaveLength(1);
  other.write("still there");
  await once(other, "data");
  const alsoCut = once(other, "close");
  proxy.cut();
  await alsoCut;
  expect(proxy.connections()).toEqual([]);
  const fresh = dial(proxy);
  fresh.write("again");
  await once(fresh, "data");
});

it("closing ends all connections, even while the proxy is stalled, and the port is closed", async () => {
  const proxy = await open(await startEcho());
  const client = dial(proxy);
  client.write("hello");
  await once(client, "data");
  proxy.stall();
  const cut = once(client, "close");
  await Promise.all([proxy.close(), proxy.close()]);
  await cut;
  expect(await listens(proxy.port)).toBe(false);
});

async function open(to: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ to });
  onTestFinished(() => proxy.close());
  return proxy;
}

function dial({ host, port }: TcpProxy): Socket {
  const socket = connect({ host, port });
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function startEcho(): Promise<{
  readonly host: string;
  readonly port: number;
  received(): string;
}> {
  let received = "";
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("data", (chunk) => (received += chunk.toString()));
    socket.pipe(socket);
    // A cut connection is what some tests are about.
    socket.on("error", () => {});
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { host: "127.0.0.1", port, received: () => received };
}
