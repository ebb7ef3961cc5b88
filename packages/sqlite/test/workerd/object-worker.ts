// A Durable Object whose calls a test makes by name, from outside.
import { createRunEvents, type OwnedRuns, RunEventsError } from "@tm/run-events-core";
import { createSqliteStore, type SqliteObjectStorage, type SqliteStore } from "../../src/index.ts";

/** Resolves in a later turn of the event loop. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** What a test asks of the object. Each answers plain data. */
export class StoreObject {
  readonly #storage: SqliteObjectStorage;
  readonly #store: SqliteStore;

  constructor({ storage }: { readonly storage: SqliteObjectStorage }) {
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
      const events = [{ eventType: "TOKEN" }];
      const append = () =>
        this.#store.appendInTransaction({ ownerId: "ada", runId: "kept", events });
      return [
        messageOf(append),
        messageOf(() => this.#storage.transactionSync(append)),
        messageOf(() => this.#store.transact(async () => append())),
      ];
    },
    confirm: () => this.#confirm(),
    tail: () => this.#tail(),
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
    const answers = [order("tea"), messageOf(() => order("gold")), order("milk")];
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

  async #tail(): Promise<unknown> {
    const runs = this.#runs();
    await runs.create({ runId: "tailed" });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { payload } of runs.tail("tailed")) seen.push(payload);
    })();
    for (const payload of [1, 2, 3]) await runs.append("tailed", [{ eventType: "TOKEN", payload }]);
    await runs.append("tailed", [{ eventType: "RUN_COMPLETED" }]);
    await reading;
    return seen;
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
    | "tail",
    () => Promise<unknown>
  >
>;

function messageOf(work: () => unknown): string {
  try {
    return `no error, but ${String(work())}`;
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
