import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Address } from "@tm/run-events-conformance/processes";
import { RunEventsError } from "@tm/run-events-core";
import {
  type Change,
  createKvStore,
  type KvEngine,
  type NewEvent,
  type RunEventStore,
} from "@tm/run-events-core/store";
import type { RemoteAnswer, RemoteCall, RemoteRequest } from "./remote-server.ts";

/** What the store does when a connection is lost. */
export interface LossManner {
  /** What the caller gets. @param appends whether the call was to append events */
  readonly failureOf: (error: RunEventsError, appends: boolean) => Error;
  /** Whether events whose change failed are written again, even if they have landed. */
  readonly writesAgain: boolean;
  /** Whether it still notifies after a lost connection. */
  readonly notifiesAgain: boolean;
}

/** As it should be. */
export const WHOLE: LossManner = {
  failureOf: (error) => error,
  writesAgain: false,
  notifiesAgain: true,
};

type Waiting = Map<number, PromiseWithResolvers<unknown>>;

/** One connection to the server of a store. It is made again when it is lost. */
class RemoteLine {
  readonly #address: Address;
  readonly #store: string;
  #line: Promise<readonly [Socket, Waiting]> | null = null;
  #lastId = 0;
  isLost = false;

  constructor(address: Address, store: string) {
    this.#address = address;
    this.#store = store;
  }

  /** @throws Error if the connection is lost before the answer */
  async send(call: RemoteCall): Promise<unknown> {
    const [socket, waiting] = await (this.#line ??= this.#open());
    const request: RemoteRequest = { id: ++this.#lastId, store: this.#store, call };
    const answer = Promise.withResolvers<unknown>();
    waiting.set(request.id, answer);
    socket.write(`${JSON.stringify(request)}\n`);
    return answer.promise;
  }

  async close(): Promise<void> {
    (await this.#line)?.[0].destroy();
  }

  async #open(): Promise<readonly [Socket, Waiting]> {
    const socket = connect({ ...this.#address, noDelay: true });
    const waiting: Waiting = new Map();
    let cause = new Error("The connection has ended.");
    socket.on("error", (error) => (cause = error));
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      this.#line = null;
      this.isLost = true;
      for (const { reject } of waiting.values()) reject(cause);
    });
    const lines = createInterface({ input: socket });
    lines.on("line", (text) => {
      const { id, answer } = JSON.parse(text) as RemoteAnswer;
      waiting.get(id)?.resolve(answer);
      waiting.delete(id);
    });
    // It has those of its socket as well, which is listened to above.
    lines.on("error", () => {});
    await once(socket, "connect");
    return [socket, waiting];
  }
}

/** An engine on one connection. Each read gets all entries, which are few. */
function engineOn(line: RemoteLine): KvEngine {
  return {
    limits: { mostOps: 1_000, mostBytes: 16_777_216 },
    async read(work) {
      const entries = new Map((await line.send("entries")) as [string, string][]);
      return work({
        get: async (keys) => keys.map((key) => entries.get(key) ?? null),
        async scan({ from, to, limit, reverse }) {
          const found = [...entries.keys()].filter((key) => key >= from && key < to).toSorted();
          const keys = (reverse ? found.reverse() : found).slice(0, limit);
          return keys.map((key) => ({ key, value: entries.get(key) ?? "" }));
        },
      });
    },
    commit: async (checks, writes) => (await line.send({ checks, writes })) === true,
    now: async () => Number(await line.send("now")),
    close: () => line.close(),
  };
}

/** A store on one connection, which treats lost connections in this manner. */
export function createRemoteStore(
  address: Address,
  name: string,
  { failureOf, writesAgain, notifiesAgain }: LossManner,
): RunEventStore {
  const line = new RemoteLine(address, name);
  const store = createKvStore(engineOn(line));

  async function failing<T>(call: Promise<T>, appends: () => boolean = () => false): Promise<T> {
    return call.catch((error: unknown) => {
      throw error instanceof RunEventsError ? failureOf(error, appends()) : error;
    });
  }

  async function changeOne<Answer>(change: Change<Answer>): Promise<Answer> {
    let events: readonly NewEvent[] = [];
    const decide: Change<Answer>["decide"] = (seen) => {
      const decision = change.decide(seen);
      ({ events = [] } = decision);
      return decision;
    };
    /** Writes the events once more. */
    const write: Change<Answer>["decide"] = (seen) => {
      const { answer } = change.decide(seen);
      const { head } = seen;
      if (head === null) return { answer };
      const lastSequence = head.lastSequence + events.length;
      return { answer, events, after: { ...head, revision: head.revision + 1, lastSequence } };
    };
    const appends = (): boolean => events.length > 0;
    const made = store.change([{ ...change, decide }]).catch((error: unknown) => {
      if (!writesAgain || !appends()) throw error;
      return store.change([{ ...change, decide: write }]);
    });
    const [answer] = await failing(made, appends);
    return answer as Answer;
  }

  return {
    ...store,
    change: (changes) => Promise.all(changes.map((change) => changeOne(change))),
    read: (queries) => failing(store.read(queries)),
    list: (query) => failing(store.list(query)),
    probe: () => failing(store.probe()),
    subscribe: (subject, onNotification) =>
      store.subscribe(subject, (runId) => {
        if (notifiesAgain || !line.isLost) onNotification(runId);
      }),
  };
}
