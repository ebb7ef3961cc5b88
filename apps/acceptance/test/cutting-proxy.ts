import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a server on this machine. */
export interface CuttingProxy {
  readonly url: string;
  /** The number of requests so far. */
  requests(): number;
  /** The part of a cut body that was let through, as it was on the wire, one character per byte. */
  cutBody(): string;
  /** Closes it with every connection. */
  close(): Promise<void>;
}

/**
 * Passes TCP on. `retry:` of any number of digits becomes 20 ms with as many digits, so that clients come back soon and no
 * byte changes its place.
 * @param cutAfter cuts the first connection when this many bytes have passed after the head of its answer, with any
 * content; `null` cuts nothing
 */
export async function startCuttingProxy(
  serverUrl: string,
  cutAfter: number | null,
): Promise<CuttingProxy> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let connections = 0;
  let requests = 0;
  let cutBody = "";

  function keep(socket: Socket): void {
    sockets.add(socket);
    // Cutting and refusing connections is this proxy's purpose, so their errors are expected.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  }

  const server = createServer((client) => {
    connections += 1;
    const isCut = connections === 1 && cutAfter !== null;
    const upstream = connect(Number(port), hostname);
    keep(client);
    keep(upstream);
    upstream.once("close", () => client.end());
    client.once("close", () => upstream.destroy());
    client.on("data", (chunk) => {
      if (chunk.toString("latin1", 0, 4) === "GET ") requests += 1;
      upstream.write(chunk);
    });
    if (isCut) cutAnswer(client, upstream, cutAfter);
    else upstream.on("data", (chunk) => client.write(shortenRetry(chunk)));
  });

  function cutAnswer(client: Socket, upstream: Socket, bodyBytes: number): void {
    let answer = Buffer.alloc(0);
    let passed = 0;
    upstream.on("data", (chunk) => {
      answer = Buffer.concat([answer, shortenRetry(chunk)]);
      const headEnd = answer.indexOf("\r\n\r\n");
      const bodyStart = headEnd === -1 ? Number.POSITIVE_INFINITY : headEnd + 4;
      const part = answer.subarray(passed, bodyStart + bodyBytes);
      const isLast = answer.length >= bodyStart + bodyBytes;
      passed += part.length;
      client.write(part, () => isLast && client.destroy());
      if (!isLast) return;
      cutBody = answer.toString("latin1", bodyStart, bodyStart + bodyBytes);
      upstream.destroy();
    });
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    cutBody: () => cutBody,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** The head of a frame is one write of the server's and far below a segment's size, so it is not split over two chunks. */
function shortenRetry(chunk: Buffer): Buffer {
  const text = chunk.toString("latin1");
  const shortened = text.replace(
    /^retry: (\d+)$/gm,
    (_, digits: string) => `retry: ${"20".padStart(digits.length, "0")}`,
  );
  return Buffer.from(shortened, "latin1");
}
