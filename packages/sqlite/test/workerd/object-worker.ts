// A Durable Object whose calls a test makes by name, from outside.
import { createRunEvents, type OwnedRuns, RunEventsError } from "@tm/run-events-core";
import { createSqliteStore, type SqliteObjectStorage, type SqliteStore } from "../../src/index.ts";

/** Resolves in a later turn of the event loop. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

const ONE = [{ eventType: "TOKEN" }];

/** The storage of an object, with what the store does not use. */
interface Storage extends SqliteObjectStorage {
  deleteAll(): Promise<void>;
}

/** The object that tests ask for plain data. */
export class StoreObject {
  readonly #storage: Storage;
  readonly #store: SqliteStore;

  constructor({ storage }: { readonly storage: Storage }) {
    this.#storage = storage;
    this.#store = createSqliteStore(storage);
  }

  async fetch(request: Request): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1) as keyof ObjectCalls;
    await this.#store.migrate();
    return Response.json((await this.#calls[name]()) ?? null);
  }

  /** Ada's runs. */
  #runs(): OwnedRuns {
    return createRunEvents({ store: this.#store }).as("ada");
  }

  readonly #calls: ObjectCalls = {
    capabilities: async () => this.#store.capabilities,
    append: async () => {
      const runs = this.#runs();
      await runs.create({ runId: "kept" });
      await runs.append("kept", [{ eventType: "TOKEN", payload: "kept" }]);
    },
    read: async () => {
      const { events } = await this.#runs().read("kept");
      return events.map(({ payload }) => payload);
    },
    refuseHalfWay: () => this.#refuseHalfWay(),
    joinTransaction: () => this.#joinTransaction(),
    outsideTransaction: async () => {
      const append = () =>
        this.#store.appendInTransaction({ ownerId: "ada", runId: "kept", events: ONE });
      return Promise.all([
        messageOf(append),
        messageOf(() => this.#storage.transactionSync(append)),
        messageOf(() => this.#store.transact(async () => append())),
      ]);
    },
    confirm: () => this.#confirm(),
    deleteAll: () => this.#deleteAll(),
    twoStores: () => this.#twoStores(),
  };

  /** The database refuses the third event, after the first two of the same append. */
  async #refuseHalfWay(): Promise<unknown> {
    const runs = this.#runs();
    await runs.create({ runId: "half" });
    this.#storage.sql
      .exec(`CREATE TRIGGER refuse BEFORE INSERT ON run_events_events WHEN NEW.sequence = 3
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const events = [1, 2, 3].map((payload) => ({ eventType: "TOKEN", payload }));
    const failed = await runs.append("half", events).catch((error: unknown) => error);
    this.#storage.sql.exec("DROP TRIGGER refuse");
    const before = await runs.read("half");
    const { lastSequence } = await runs.get("half");
    const { firstSequence } = await runs.append("half", [{ eventType: "TOKEN" }]);
    return {
      code: failed instanceof RunEventsError ? failed.code : null,
      events: before.events.length,
      lastSequence,
      firstSequence,
    };
  }

  async #joinTransaction(): Promise<unknown> {
    const runs = this.#runs();
    await runs.create({ runId: "joined" });
    this.#storage.sql.exec("CREATE TABLE orders (item TEXT)");
    const order = (item: string) =>
      this.#store.transact(() => {
        this.#storage.sql.exec("INSERT INTO orders VALUES (?)", item);
        const events = [{ eventType: "ORDER_PLACED", payload: { item } }];
        const { lastSequence } = this.#store.appendInTransaction({
          ownerId: "ada",
          runId: "joined",
          events,
        });
        if (item === "gold") throw new Error("no gold");
        return lastSequence;
      });
    const answers = [order("tea"), await messageOf(() => order("gold")), order("milk")];
    const { events } = await runs.read("joined");
    const orders = this.#storage.sql.exec("SELECT item FROM orders").toArray();
    return { answers, orders, events: events.map(({ payload }) => payload) };
  }

  /** An append on a storage that confirms nothing until it may. */
  async #confirm(): Promise<unknown> {
    const confirmed = Promise.withResolvers<void>();
    const { sql } = this.#storage;
    const store = createSqliteStore({
      sql,
      transactionSync: (work) => this.#storage.transactionSync(work),
      sync: () => confirmed.promise.then(() => this.#storage.sync()),
    });
    const order: string[] = [];
    const created = createRunEvents({ store })
      .as("ada")
      .create({ runId: "confirmed" })
      .then(() => order.push("acknowledged"));
    // Its rows are there already.
    while (
      sql.exec("SELECT 1 FROM run_events_runs WHERE run_id = 'confirmed'").toArray().length === 0
    )
      await nextTurn();
    // An acknowledgement that did not wait for the disk would come in this turn.
    await nextTurn();
    order.push("confirmed");
    confirmed.resolve();
    await created;
    return order;
  }

  /** Its storage is deleted under the store. */
  async #deleteAll(): Promise<unknown> {
    const runs = this.#runs();
    await runs.create({ runId: "a" });
    await runs.append("a", ONE);
    await this.#storage.deleteAll();
    const gone = await Promise.all([
      messageOf(() => runs.append("a", ONE)),
      messageOf(() => runs.create({ runId: "b" })),
      messageOf(() => runs.read("a")),
      messageOf(() => this.#store.verify()),
    ]);
    await this.#store.migrate();
    await runs.create({ runId: "a" });
    const { lastSequence } = await runs.append("a", ONE);
    return { gone, lastSequence };
  }

  /** Two stores take turns, also within each other's transactions. */
  async #twoStores(): Promise<unknown> {
    const other = createSqliteStore(this.#storage);
    await other.migrate();
    const runs = [this.#runs(), createRunEvents({ store: other }).as("ada")] as const;
    await runs[0].create({ runId: "both" });
    const landed = await Promise.all(
      Array.from({ length: 20 }, (_, at) => runs[at % 2 === 0 ? 0 : 1].append("both", ONE)),
    );
    const joined = { ownerId: "ada", runId: "both", events: ONE };
    const within = await messageOf(() =>
      this.#store.transact(() => other.appendInTransaction(joined)),
    );
    const undone = await messageOf(() =>
      this.#store.transact(() => {
        other.transact(() => other.appendInTransaction(joined));
        throw new Error("undone");
      }),
    );
    const { lastSequence } = await runs[1].get("both");
    const numbers = landed.map((receipt) => receipt.lastSequence).toSorted((a, b) => a - b);
    return { landed: numbers, within, undone, lastSequence };
  }
}

/** The calls, by their names in a path. */
type ObjectCalls = Readonly<
  Record<
    | "capabilities"
    | "append"
    | "read"
    | "refuseHalfWay"
    | "joinTransaction"
    | "outsideTransaction"
    | "confirm"
    | "deleteAll"
    | "twoStores",
    () => Promise<unknown>
  >
>;

async function messageOf(work: () => unknown): Promise<string> {
  try {
    return `no error, but ${String(await work())}`;
  } catch (error) {
    return String(error);
  }
}

/** The objects of the worker, by name. */
interface Env {
  readonly OBJECTS: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

const worker: { fetch(request: Request, env: Env): Promise<Response> } = {
  fetch: (request, { OBJECTS }) => OBJECTS.getByName("one").fetch(request),
};

// oxlint-disable-next-line import/no-default-export -- workerd takes the handler of a worker from there
export default worker;
