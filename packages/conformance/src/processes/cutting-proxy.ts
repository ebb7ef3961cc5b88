import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The chunk after which a connection is cut, counted over all connections from now on. */
export interface Cut {
  /**
   * `answer`: a chunk from the server is dropped, and the connection with it. Only chunks on connections that have asked since the plan
   * count: a notification answers nothing. `request`: a chunk from the client is passed on, and
   * the connection is destroyed before anything comes back.
   */
  readonly at: "request" | "answer";
  /** The number of chunks of that kind that pass before. */
  readonly after: number;
}

/** A proxy between a store and its server that breaks connections. */
export interface CuttingProxy {
  readonly address: Address;
  /** Breaks one connection at this chunk; `null` cancels that. */
  plan(cut: Cut | null): void;
  /** Destroys every connection that is open. New ones may come. */
  cutAll(): void;
  /** The number of chunks that have come from the server so far. */
  answers(): number;
  /** Destroys all connections and listens no more. */
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startCuttingProxy(server: Address): Promise<CuttingProxy> {
  const open = new Set<() => void>();
  let planned: Cut | null = null;
  let passed = 0;
  let answers = 0;
  let plans = 0;

  /** Whether this chunk is the one that costs its connection. */
  function isLast(at: Cut["at"]): boolean {
    if (planned?.at !== at) return false;
    passed += 1;
    if (passed <= planned.after) return false;
    planned = null;
    return true;
  }

  function accept(client: Socket): void {
    const upstream = connect({ ...server, noDelay: true });
    const cut = (): void => {
      open.delete(cut);
      client.destroy();
      upstream.destroy();
    };
    open.add(cut);
    let askedIn = 0;
    client.on("data", (chunk: Buffer) => {
      askedIn = plans;
      if (!isLast("request")) {
        upstream.write(chunk);
        return;
      }
      // The server gets the whole request; the sender gets no answer.
      client.destroy();
      upstream.end(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      answers += 1;
      if (askedIn === plans && isLast("answer")) cut();
      else client.write(chunk);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      // A broken side breaks the other; one that ends lets the other end.
      one.on("error", cut);
      one.on("end", () => other.end());
      one.on("close", () => {
        if (client.destroyed && upstream.destroyed) open.delete(cut);
      });
    }
  }

  const listener = createServer({ noDelay: true }, accept);
  await once(listener.listen(0, HOST), "listening");
  const { port } = listener.address() as AddressInfo;
  const cutAll = (): void => {
    for (const cut of open) cut();
  };
  return {
    address: { host: HOST, port },
    plan(cut) {
      plans += 1;
      planned = cut;
      passed = 0;
    },
    cutAll,
    answers: () => answers,
    async close() {
      const closed = once(listener.close(), "close");
      cutAll();
      await closed;
    },
  };
}
