import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Address } from "@tm/run-events-conformance/processes";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import {
  type Change,
  type Commit,
  createNotifier,
  decideChanges,
  decideOnce,
  type RunEventStore,
  type Seen,
  type Subject,
  nameKey,
} from "@tm/run-events-core/store";
import type {
  RemoteCall,
  RemoteCommit,
  RemoteLook,
  RemoteMessage,
  RemoteNotification,
  RemoteSeen,
} from "./remote-server.ts";

/** What the store does when a connection is lost. */
export interface LossManner {
  /** Whether a call whose answer was lost may have been done. */
  readonly isAmbiguous: (call: RemoteCall) => boolean;
  /** What the caller gets. */
  readonly failureOf: (error: RunEventsError) => Error;
  /** What is sent in place of a call whose answer was lost; `null`: the call fails. */
  readonly sentAgain: (call: RemoteCall, args: readonly unknown[]) => readonly unknown[] | null;
  /** Whether it subscribes again after a lost connection. */
  readonly subscribesAgain: boolean;
}

const READS = new Set<RemoteCall>(["see", "read", "list", "subscribe"]);

/** As it should be. */
export const WHOLE: LossManner = {
  isAmbiguous: (call) => !READS.has(call),
  failureOf: (error) => error,
  sentAgain: () => null,
  subscribesAgain: true,
};

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Line {
  readonly socket: Socket;
  readonly waiting: Map<number, Waiting>;
}

class LostConnection extends Error {}

/** One connection to the server of a store. It is made again when it is lost. */
class RemoteLine {
  readonly #address: Address;
  readonly #store: string;
  readonly #onNotification: (heard: RemoteNotification) => void;
  readonly #onLoss: () => void;
  #line: Promise<Line> | null = null;
  #lastId = 0;

  constructor(
    address: Address,
    store: string,
    on: { readonly onNotification: (heard: RemoteNotification) => void; readonly loss: () => void },
  ) {
    this.#address = address;
    this.#store = store;
    this.#onNotification = on.onNotification;
    this.#onLoss = on.loss;
  }

  /** @throws LostConnection if the connection is lost before the answer */
  async send(call: RemoteCall, args: readonly unknown[]): Promise<unknown> {
    const { socket, waiting } = await (this.#line ??= this.#open());
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(id, { resolve, reject });
    socket.write(`${JSON.stringify({ id, store: this.#store, call, args })}\n`);
    return promise;
  }

  async close(): Promise<void> {
    (await this.#line)?.socket.destroy();
  }

  async #open(): Promise<Line> {
    const socket = connect({ ...this.#address, noDelay: true });
    const opened: Line = { socket, waiting: new Map() };
    let cause = new LostConnection("The connection has ended.");
    socket.on("error", (error) => (cause = new LostConnection(error.message)));
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      this.#line = null;
      for (const { reject } of opened.waiting.values()) reject(cause);
      this.#onLoss();
    });
    const lines = createInterface({ input: socket });
    lines.on("line", (text) => this.#receive(opened, text));
    // It has those of its socket as well, which is listened to above.
    lines.on("error", () => {});
    await once(socket, "connect").catch((error: unknown) => {
      throw new LostConnection(String(error));
    });
    return opened;
  }

  #receive({ waiting }: Line, text: string): void {
    const message = JSON.parse(text) as RemoteMessage;
    if ("onNotification" in message) return this.#onNotification(message.onNotification);
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if ("answer" in message) call?.resolve(message.answer);
    else call?.reject(new RunEventsError("store_unavailable", message.refusal.message));
  }
}

/** A store on one connection, which it makes again when it is lost. */
export function createRemoteStore(
  address: Address,
  store: string,
  manner: LossManner,
): RunEventStore {
  const notifier = createNotifier();
  const subscribed = new Map<string, Subject>();
  const line = new RemoteLine(address, store, {
    onNotification: ({ subject, runId }) => notifier.notify(nameKey(subject), runId),
    loss() {
      if (manner.subscribesAgain && subscribed.size > 0) void subscribeAgain();
    },
  });

  async function subscribeAgain(): Promise<void> {
    for (const [name, subject] of subscribed) {
      // The next loss makes it again.
      await line.send("subscribe", [subject]).catch(() => {});
      notifier.notify(name, null);
    }
  }

  async function ask(call: RemoteCall, ...args: readonly unknown[]): Promise<never> {
    try {
      return (await line.send(call, args)) as never;
    } catch (cause) {
      if (!(cause instanceof LostConnection)) throw cause;
      const again = manner.sentAgain(call, args);
      if (again !== null) return (await line.send(call, again)) as never;
      const ambiguous = manner.isAmbiguous(call);
      throw manner.failureOf(
        new RunEventsError("store_unavailable", "The connection was lost.", { cause, ambiguous }),
      );
    }
  }

  async function see(changes: readonly Change<unknown>[]): Promise<readonly Seen[]> {
    const looks = changes.map((change): RemoteLook => {
      const { decide: _, ...look } = change;
      return look;
    });
    const found: readonly RemoteSeen[] = await ask("see", looks);
    return found.map(({ receipts, ...seen }) => ({ ...seen, receipts: new Map(receipts) }));
  }

  const { capabilities } = createMemoryStore();
  return {
    capabilities: {
      ...capabilities,
      shared: true,
      losesAnswers: true,
      notifyWithinMs: 1_000,
    },
    append: (plains) => ask("append", plains),
    change: (changes) =>
      decideChanges(changes, (left) =>
        decideOnce(left, { see, commit: (commits) => ask("commit", commits.map(commitOf)) }),
      ),
    read: (queries) => ask("read", queries),
    list: (query) => ask("list", query),
    probe: () => ask("probe"),
    subscribe(subject, onNotification) {
      const name = nameKey(subject);
      const stop = notifier.add(subject, onNotification);
      subscribed.set(name, subject);
      return {
        ready: ask("subscribe", subject),
        stop() {
          stop();
          subscribed.delete(name);
        },
      };
    },
    async close() {
      subscribed.clear();
      notifier.clear();
      await line.close();
    },
  };
}

/** A decision and what it saw, fit for JSON. */
function commitOf({ change, seen, decision }: Commit): RemoteCommit {
  const { ownerId, runId, topic = null } = change;
  const { after, events = [], receipts = [] } = decision;
  const revision = seen.head?.revision ?? null;
  return { ownerId, runId, topic, revision, holder: seen.holder, after, events, receipts };
}
