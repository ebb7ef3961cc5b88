import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Address } from "@tm/run-events-conformance/processes";
import type { KvEntry, KvPair, KvRange } from "../../../core/src/store/kv/engine.ts";

/** A client's call: the time and the number of the last commit, entries as of a commit, or a commit if all checks hold. */
export type RemoteCall =
  | "now"
  | { readonly at: number; readonly keys: readonly string[] }
  | { readonly at: number; readonly range: KvRange }
  | { readonly checks: readonly KvPair[]; readonly writes: readonly KvPair[] };

/** A message of a client, on a line of its own. */
export interface RemoteRequest {
  readonly id: number;
  readonly call: RemoteCall;
}

/** A message of a server, on a line of its own. */
export interface RemoteAnswer {
  readonly id: number;
  readonly answer: unknown;
}

/** A server on a port of 127.0.0.1, until `close`. */
export interface RemoteServer {
  readonly address: Address;
  /** All that was ever written. */
  written(): readonly KvPair[];
  /** Undoes the newest commits. */
  forgetNewest(count: number): void;
  close(): Promise<void>;
}

/** Keys with all values that they have had, by the numbers of commits. */
class Entries {
  #versions = new Map<string, readonly { readonly at: number; readonly value: string | null }[]>();
  #last = 0;

  answerTo(call: RemoteCall): unknown {
    if (call === "now") return [Date.now(), this.#last];
    if ("keys" in call) return call.keys.map((key) => this.#get(key, call.at));
    if ("range" in call) return this.#scan(call.range, call.at);
    const { checks, writes } = call;
    if (!checks.every(({ key, value }) => this.#get(key, this.#last) === value)) return false;
    const at = (this.#last += 1);
    for (const { key, value } of writes) {
      this.#versions.set(key, [...(this.#versions.get(key) ?? []), { at, value }]);
    }
    return true;
  }

  written(): readonly KvPair[] {
    return [...this.#versions].flatMap(([key, all]) => all.map(({ value }) => ({ key, value })));
  }

  forgetNewest(count: number): void {
    this.#last -= count;
    for (const [key, all] of this.#versions) {
      const left = all.filter(({ at }) => at <= this.#last);
      this.#versions.set(key, left);
    }
  }

  #get(key: string, until: number): string | null {
    return this.#versions.get(key)?.findLast(({ at }) => at <= until)?.value ?? null;
  }

  #scan({ from, to, limit, reverse }: KvRange, at: number): readonly KvEntry[] {
    const keys = [...this.#versions.keys()].filter((key) => key >= from && key < to).toSorted();
    const found = (reverse ? keys.reverse() : keys).flatMap((key) => {
      const value = this.#get(key, at);
      return value === null ? [] : [{ key, value }];
    });
    return found.slice(0, limit);
  }
}

/** Calls back with each line. `node:readline` would also end lines at separators that JSON does not escape. */
export function onLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}

/** Starts a server whose entries are in memory. */
export async function startRemoteServer(): Promise<RemoteServer> {
  const entries = new Entries();
  const sockets = new Set<Socket>();

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    onLines(socket, (line) => {
      const { id, call } = JSON.parse(line) as RemoteRequest;
      const message: RemoteAnswer = { id, answer: entries.answerTo(call) };
      if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
    });
  }

  const listener = createServer({ noDelay: true, allowHalfOpen: true }, serve);
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address() as AddressInfo;
  return {
    address: { host: "127.0.0.1", port },
    written: () => entries.written(),
    forgetNewest: (count) => entries.forgetNewest(count),
    async close() {
      const closed = once(listener.close(), "close");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
