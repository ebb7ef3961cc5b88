import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Address } from "@tm/run-events-conformance/processes";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type {
  Change,
  Head,
  NewEvent,
  Plain,
  RunEventStore,
  RunName,
  Seen,
  Subject,
} from "@tm/run-events-core/store";
import type { NewReceipt } from "../../../core/src/rules/decision.ts";
import type { KeptReceipt } from "../../../core/src/rules/judge-append.ts";

/** What a client sends, a line each. */
interface RemoteRequest {
  readonly id: number;
  /** Whose runs: stores of different names share nothing. */
  readonly store: string;
  /** A call of the contract, or half of a change; `subscribe` is answered when the subscription is ready. */
  readonly call: RemoteCall;
  readonly args: readonly unknown[];
}

/** What a client may ask. */
export type RemoteCall = "append" | "see" | "commit" | "read" | "list" | "probe" | "subscribe";

/** What is to be seen of a run. */
export type RemoteLook = Omit<Change<unknown>, "decide">;

/** What was seen, fit for JSON. */
export interface RemoteSeen extends Omit<Seen, "receipts"> {
  readonly receipts: readonly (readonly [string, KeptReceipt])[];
}

/** What is to be committed if the run, and the holder of its topic, are still as they were seen. */
export interface RemoteCommit extends RunName {
  readonly topic: string | null;
  readonly revision: number | null;
  readonly holder: RunName | null;
  readonly after: Head | null;
  readonly events: readonly NewEvent[];
  readonly receipts: readonly NewReceipt[];
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
    return { id, answer: await callOf(store, call, args[0]) };
  } catch (error) {
    const isOwn = error instanceof RunEventsError;
    const refusal = { message: String(error), retryable: isOwn && error.retryable };
    return { id, refusal };
  }
}

async function callOf(store: RunEventStore, call: RemoteCall, input: unknown): Promise<unknown> {
  switch (call) {
    case "append":
      return store.append(input as readonly Plain[]);
    case "see":
      return store.change((input as readonly RemoteLook[]).map(look));
    case "commit":
      return store.change((input as readonly RemoteCommit[]).map(commit));
    case "read":
      return store.read(input as Parameters<RunEventStore["read"]>[0]);
    case "list":
      return store.list(input as Parameters<RunEventStore["list"]>[0]);
    case "probe":
      return store.probe();
    case "subscribe":
      return null;
  }
}

/** A change that changes nothing, and answers what it sees. */
function look(asked: RemoteLook): Change<RemoteSeen> {
  return {
    ...asked,
    decide: ({ receipts, ...seen }) => ({ answer: { ...seen, receipts: [...receipts] } }),
  };
}

/** A change that commits what was decided elsewhere, and answers whether it has. */
function commit(asked: RemoteCommit): Change<boolean> {
  const { ownerId, runId, topic, revision, holder, ...decided } = asked;
  return {
    ownerId,
    runId,
    topic,
    decide(seen) {
      const isSame =
        (seen.head?.revision ?? null) === revision && seen.holder?.runId === holder?.runId;
      return isSame ? { answer: true, ...decided } : { answer: false };
    },
  };
}
