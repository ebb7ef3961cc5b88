import { lineOf } from "@tm/run-events-test-servers/joined-appends";
import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import fc from "fast-check";
import type pg from "pg";
import { expect, it } from "vitest";
import type { PostgresQueryable } from "../src/index.ts";
import { ISOLATIONS, openPool, openStore, useServer, type RuledStore } from "./stores.ts";

const server = useServer();

type Kind = "plain" | "refused" | "keyed";

/** A step of a program in its transaction: appends at once, or one statement of its own. */
type Step =
  | { readonly appends: readonly { readonly runId: string; readonly kind: Kind }[] }
  | { readonly statement: "savepoint" | "roll back to it" | "fail" };

const append = fc.record({
  runId: fc.constantFrom("a", "b"),
  kind: fc.constantFrom<Kind>("plain", "plain", "refused", "keyed"),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ appends: fc.array(append, { minLength: 1, maxLength: 3 }) }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      statement: fc.constantFrom(
        "savepoint" as const,
        "savepoint" as const,
        "roll back to it" as const,
        "roll back to it" as const,
        "fail" as const,
      ),
    }),
    weight: 3,
  },
);
const program = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  isolation: fc.constantFrom(...ISOLATIONS),
  // Before which statement of its appends the program ends or rolls back, so that the statement comes late. It is never an append's first
  // one.
  interruptedAt: fc.option(fc.integer({ min: 1, max: 8 }), { nil: Infinity }),
  interruption: fc.constantFrom("ROLLBACK", "COMMIT", "ROLLBACK TO SAVEPOINT mine"),
  end: fc.constantFrom("COMMIT", "COMMIT", "ROLLBACK"),
});

/** A transaction, and the values that its program expects in the log if it commits. */
class Program {
  readonly #store: RuledStore;
  readonly #client: pg.PoolClient;
  readonly #interruptedAt: number;
  readonly #interruption: string;
  /** The values that have landed: those before the savepoint, and those after it. */
  #landed: [before: string[], after: string[]] = [[], []];
  #hasSavepoint = false;
  #later = 0;
  #next = 0;
  #isOver = false;
  #interrupted: Promise<unknown> | null = null;

  constructor(
    store: RuledStore,
    client: pg.PoolClient,
    interruptedAt: number,
    interruption: string,
  ) {
    this.#store = store;
    this.#client = client;
    this.#interruptedAt = interruptedAt;
    this.#interruption = interruption;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get expected(): readonly string[] {
    return this.#landed.flat();
  }

  async run(step: Step): Promise<void> {
    if ("statement" in step) await this.#runOwn(step.statement);
    else await Promise.all(step.appends.map(({ runId, kind }) => this.#append(runId, kind)));
  }

  /** Ends the transaction with this statement. */
  async end(statement: string): Promise<void> {
    const { command } = await this.#client.query(statement);
    this.#isOver = true;
    if (command !== "COMMIT") this.#landed = [[], []];
  }

  async #runOwn(statement: string): Promise<void> {
    if (statement === "fail") await this.#client.query("SELECT 1/0").catch(() => {});
    else if (statement === "savepoint") await this.#setSavepoint();
    else await this.#rollBackToIt();
  }

  async #setSavepoint(): Promise<void> {
    const isSet = await this.#client.query("SAVEPOINT mine").then(
      () => true,
      () => false,
    );
    if (!isSet) return;
    this.#hasSavepoint = true;
    this.#landed = [this.#landed.flat(), []];
  }

  async #rollBackToIt(): Promise<void> {
    if (!this.#hasSavepoint) return;
    await this.#client.query("ROLLBACK TO SAVEPOINT mine");
    this.#landed = [this.#landed[0], []];
  }

  async #append(runId: string, kind: Kind): Promise<void> {
    this.#next += 1;
    const value = `${runId}${this.#next}`;
    const more = {
      plain: {},
      refused: { expectedSequence: 99 },
      keyed: { idempotencyKey: value },
    }[kind];
    const landed = this.#landed[1];
    let isFirst = true;
    const client: PostgresQueryable = {
      query: async (text, values) => {
        if (!isFirst) await this.#interruptInTime();
        isFirst = false;
        return this.#client.query(text, values);
      },
    };
    await this.#store
      .appendInTransaction({ client, ...lineOf(value, { runId, ...more }) })
      .then(() => landed.push(value))
      .catch(() => {});
  }

  async #interruptInTime(): Promise<void> {
    this.#later += 1;
    if (this.#later === this.#interruptedAt) this.#interrupted = this.#interrupt();
    await this.#interrupted;
  }

  #interrupt(): Promise<unknown> {
    if (this.#interruption !== "ROLLBACK TO SAVEPOINT mine") return this.end(this.#interruption);
    return this.#rollBackToIt();
  }
}

it("S2: exactly the appends that resolved and whose part of the transaction was committed are in the log", async () => {
  const pool = openPool(server().url);
  const store = await openStore(pool);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(program, async ({ steps, isolation, interruptedAt, interruption, end }) => {
      runs += 1;
      const suffix = `-${runs}`;
      for (const runId of ["a", "b"]) await store.createRun(createOf(`${runId}${suffix}`));
      const client = await pool.connect();
      try {
        await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
        const one = new Program(store, client, interruptedAt, interruption);
        for (const next of steps) if (!one.isOver) await one.run(renamed(next, suffix));
        if (!one.isOver) await one.end(end);
        const logs = [`a${suffix}`, `b${suffix}`].map((runId) => readValues(store, runId));
        expect(new Set((await Promise.all(logs)).flat())).toEqual(new Set(one.expected));
        // The connection is usable, and no lock is left.
        await store.append([appendOf(`a${suffix}`, "last"), appendOf(`b${suffix}`, "last")]);
      } finally {
        client.release();
      }
    }),
    { numRuns: 150 },
  );
});

/** The step on the runs of one program. */
function renamed(one: Step, suffix: string): Step {
  if ("statement" in one) return one;
  return { appends: one.appends.map(({ runId, kind }) => ({ runId: `${runId}${suffix}`, kind })) };
}
