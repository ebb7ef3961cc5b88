import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import fc from "fast-check";

/** A fault in the answer of one connection. */
export interface Fault {
  /** After how many bytes of the answer. */
  readonly at: number;
  /**
   * `cut`: the connection is reset. `end`: it ends in order. `stall`: nothing more comes, without an error. `split`: every byte from there
   * comes in its own packet. `none`: no fault.
   */
  readonly kind: "cut" | "end" | "stall" | "split" | "none";
}

/** Any fault within the first answers of a connection. */
export const fault: fc.Arbitrary<Fault> = fc.record({
  at: fc.oneof(fc.nat(600), fc.nat(4_000)),
  kind: fc.constantFrom("cut", "end", "stall", "split", "none"),
});

/** A proxy on the way to a server. */
export interface FaultProxy {
  readonly port: number;
  /** Breaks every connection. */
  cut(): void;
  close(): void;
}

/**
 * Passes connections on to a port. The n-th connection has the n-th fault, and those after the last have none.
 */
export async function startFaultProxy(
  target: number,
  faults: readonly Fault[],
): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    const fault = faults[count++] ?? { at: 0, kind: "none" };
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Its `close` follows.
      socket.on("error", () => {});
      socket.setNoDelay(true);
    }
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => fault.kind === "stall" || client.destroy());
    client.pipe(upstream);
    let passed = 0;
    upstream.on("data", (chunk: Buffer) => {
      const room = fault.kind === "none" ? chunk.length : Math.max(0, fault.at - passed);
      passed += chunk.length;
      const before = chunk.subarray(0, room);
      const rest = chunk.subarray(room);
      if (before.length > 0) client.write(before);
      if (rest.length === 0) return;
      if (fault.kind === "cut") client.resetAndDestroy();
      else if (fault.kind === "end") client.end();
      else if (fault.kind === "split") for (const byte of rest) client.write(Buffer.of(byte));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close() {
      server.close();
      cut();
    },
  };
}
