import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Address } from "@tm/run-events-conformance/processes";
import type { KvEngine } from "@tm/run-events-core/store";

/** What a client sends, a line each. */
export interface RemoteRequest {
  readonly id: number;
  /** Whose entries: stores of different names share nothing. */
  readonly store: string;
  readonly call: RemoteCall;
}

/** A request for all entries, for the time, or for a commit if all checks hold. */
export type RemoteCall = "entries" | "now" | { readonly checks: Pairs; readonly writes: Pairs };

type Pairs = Parameters<KvEngine["commit"]>[0];

/** What a server sends, a line each. */
export interface RemoteAnswer {
  readonly id: number;
  readonly answer: unknown;
}

/** Entries in memory on a port of 127.0.0.1, until `close`. */
export async function startRemoteServer(): Promise<{
  readonly address: Address;
  close(): Promise<void>;
}> {
  const stores = new Map<string, Map<string, string>>();
  const sockets = new Set<Socket>();

  function answerTo({ store, call }: RemoteRequest): unknown {
    const entries = stores.get(store) ?? new Map<string, string>();
    stores.set(store, entries);
    if (call === "now") return Date.now();
    if (call === "entries") return [...entries];
    const isSame = call.checks.every(({ key, value }) => (entries.get(key) ?? null) === value);
    if (!isSame) return false;
    for (const { key, value } of call.writes) {
      if (value === null) entries.delete(key);
      else entries.set(key, value);
    }
    return true;
  }

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    const lines = createInterface({ input: socket });
    lines.on("error", () => {});
    lines.on("line", (line) => {
      const request = JSON.parse(line) as RemoteRequest;
      const message: RemoteAnswer = { id: request.id, answer: answerTo(request) };
      if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
    });
  }

  const listener = createServer({ noDelay: true, allowHalfOpen: true }, serve);
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address() as AddressInfo;
  return {
    address: { host: "127.0.0.1", port },
    async close() {
      const closed = once(listener.close(), "close");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
