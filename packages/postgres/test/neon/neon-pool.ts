import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { neonConfig, Pool, type PoolConfig } from "@neondatabase/serverless";
import { createWebSocketStream, WebSocketServer } from "ws";

/** A proxy from WebSockets to a Postgres, as Neon has in front of its databases. */
export interface WebSocketProxy {
  /** A pool of Neon's driver, whose connections go through the proxy. */
  openPool(options?: PoolConfig): Pool;
  close(): Promise<void>;
}

/** Starts a proxy to the server at this URL. Neon's driver has one proxy in each process. */
export async function startWebSocketProxy(url: string): Promise<WebSocketProxy> {
  const { hostname, port } = new URL(url);
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    const stream = createWebSocketStream(socket);
    const connection = connect(Number(port), hostname);
    stream.pipe(connection).pipe(stream);
    // Each side ends with the other, also when a test ends a session.
    stream.on("error", () => connection.destroy());
    connection.on("error", () => socket.terminate());
    stream.on("close", () => connection.destroy());
    connection.on("close", () => socket.close());
  });
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  neonConfig.wsProxy = () => `127.0.0.1:${address.port}`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineConnect = false;
  return {
    openPool(options) {
      const pool = new Pool({ connectionString: url, ...options });
      // Tests end sessions; the next use of one fails with this error.
      pool.on("error", () => {});
      return pool;
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
