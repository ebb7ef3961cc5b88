// A Durable Object whose storage is deleted and shared under its store. A test makes its calls by name, from outside.
import { createRunEvents, type OwnedRuns, RunEventsError } from "@tm/run-events-core";
import { createSqliteStore, type SqliteObjectStorage, type SqliteStore } from "../../src/index.ts";

/** The storage of an object, with what the store does not use. */
interface Storage extends SqliteObjectStorage {
  deleteAll(): Promise<void>;
  setAlarm(atMs: number): Promise<void>;
}

const ONE = [{ eventType: "TOKEN" }];

/** What a test asks of the object. Each answers plain data. */
export class StoreObject {
  readonly #storage: Storage;
  #onAlarm = async (): Promise<void> => {};

  constructor({ storage }: { readonly storage: Storage }) {
    this.#storage = storage;
  }

  async fetch(request: Request): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1) as keyof ObjectCalls;
    return Response.json((await this.#calls[name]()) ?? null);
  }

  alarm(): Promise<void> {
    return this.#onAlarm();
  }

  readonly #calls: ObjectCalls = {
    deleteAll: () => this.#deleteAll(),
    twoStores: () => this.#twoStores(),
    alarm: () => this.#alarmBetween(),
  };

  async #deleteAll(): Promise<unknown> {
    const { store, runs } = await this.#open();
    await runs.create({ runId: "a" });
    await runs.append("a", ONE);
    await this.#storage.deleteAll();
    const gone = await Promise.all([
      codeOf(() => runs.append("a", ONE)),
      codeOf(() => runs.create({ runId: "b" })),
      codeOf(() => runs.read("a")),
      codeOf(() => store.verify()),
      codeOf(() =>
        store.transact(() =>
          store.appendInTransaction({ ownerId: "ada", runId: "a", events: ONE }),
        ),
      ),
    ]);
    await store.migrate();
    gone.push(await codeOf(() => runs.append("a", ONE)));
    await runs.create({ runId: "a" });
    const { lastSequence } = await runs.append("a", ONE);
    return { gone, lastSequence };
  }

  /** Two stores take turns, also within each other's transactions. */
  async #twoStores(): Promise<unknown> {
    const one = await this.#open();
    const two = await this.#open();
    await one.runs.create({ runId: "both" });
    const landed = await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 ? one : two).runs.append("both", ONE)),
    );
    const joined = { ownerId: "ada", runId: "both", events: ONE };
    const other = await codeOf(() =>
      one.store.transact(() => two.store.appendInTransaction(joined)),
    );
    const undone = await codeOf(() =>
      one.store.transact(() => {
        two.store.transact(() => two.store.appendInTransaction(joined));
        throw new Error("undone");
      }),
    );
    const { lastSequence } = await two.runs.get("both");
    const numbers = landed.map((receipt) => receipt.lastSequence).toSorted((a, b) => a - b);
    return { landed: numbers, other, undone, lastSequence };
  }

  /** The alarm appends while a call waits between two of its appends. */
  async #alarmBetween(): Promise<unknown> {
    const { store, runs } = await this.#open();
    await runs.create({ runId: "alarm" });
    const over = Promise.withResolvers<readonly number[]>();
    this.#onAlarm = async () => {
      const append = runs.append("alarm", ONE);
      const joined = store.transact(() =>
        store.appendInTransaction({ ownerId: "ada", runId: "alarm", events: ONE }),
      );
      over.resolve([(await append).lastSequence, joined.lastSequence]);
    };
    const { lastSequence: first } = await runs.append("alarm", ONE);
    await this.#storage.setAlarm(Date.now());
    const between = await over.promise;
    const { lastSequence: last } = await runs.append("alarm", ONE);
    return { first, between: between.toSorted((a, b) => a - b), last };
  }

  async #open(): Promise<{ readonly store: SqliteStore; readonly runs: OwnedRuns }> {
    const store = createSqliteStore(this.#storage);
    await store.migrate();
    return { store, runs: createRunEvents({ store }).as("ada") };
  }
}

/** The calls, by their names in a path. */
type ObjectCalls = Readonly<Record<"deleteAll" | "twoStores" | "alarm", () => Promise<unknown>>>;

/** The code of the error that a call throws, and whether it may pass; the text of another error; `null` without one. */
async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    if (!(error instanceof RunEventsError)) return String(error);
    return error.retryable ? `${error.code}, retryable` : error.code;
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
