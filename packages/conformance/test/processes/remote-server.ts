import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Address } from "@tm/run-events-conformance/processes";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore, Subject } from "@tm/run-events-core/store";

/** What a client sends, a line each. */
interface RemoteRequest {
  readonly id: number;
  /** Whose runs: stores of different names share nothing. */
  readonly store: string;
  /** A call of the contract; `subscribe` is answered when the subscription is ready. */
  readonly call: string;
  readonly args: readonly unknown[];
}

/** What a subscription was notified of. */
export interface RemoteNotification {
  readonly subject: Subject;
  readonly runId: string | null;
}

/** What a server sends, a line each. */
export type RemoteMessage =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly refusal: Refusal }
  | { readonly onNotification: RemoteNotification };

/** A failure of the server's own store. */
interface Refusal {
  readonly message: string;
  readonly retryable: boolean;
}

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/** Stores in memory on a port of 127.0.0.1, until `close`. */
export async function startRemoteServer(): Promise<{
  readonly address: Address;
  close(): Promise<void>;
}> {
  const stores = new Map<string, RunEventStore>();
  const sockets = new Set<Socket>();

  function storeOf(name: string): RunEventStore {
    const store = stores.get(name) ?? createMemoryStore();
    stores.set(name, store);
    return store;
  }

  function serve(socket: Socket): void {
    const stops: (() => void)[] = [];
    const send = (message: RemoteMessage): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
    };
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      for (const stop of stops) stop();
    });
    const lines = createInterface({ input: socket });
    lines.on("error", () => {});
    lines.on("line", (line) => {
      const request = JSON.parse(line) as RemoteRequest;
      const store = storeOf(request.store);
      if (request.call === "subscribe") {
        const subject = request.args[0] as Subject;
        const subscription = store.subscribe(subject, (runId) =>
          send({ onNotification: { subject, runId } }),
        );
        stops.push(() => subscription.stop());
        send({ id: request.id, answer: null });
        return;
      }
      void answerTo(store, request).then(send);
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

async function answerTo(
  store: RunEventStore,
  { id, call, args }: RemoteRequest,
): Promise<RemoteMessage> {
  try {
    const answer = await (store as unknown as Methods)[call]?.(...args);
    return { id, answer: answer ?? null };
  } catch (error) {
    const isOwn = error instanceof RunEventsError;
    const refusal = { message: String(error), retryable: isOwn && error.retryable };
    return { id, refusal };
  }
}
