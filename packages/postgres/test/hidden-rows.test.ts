import { describe, expect, it } from "vitest";
import {
  appendOf,
  createOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import {
  newSchema,
  openPool,
  openStore,
  useServer,
  type RuledStore,
  createStore,
  runsOf,
} from "./stores.ts";

const server = useServer();
const DAMAGED = {
  code: "store_unavailable",
  message: expect.stringContaining("The run is damaged"),
  retryable: false,
};

interface Guarded {
  /** The superuser's store. */
  readonly admin: RuledStore;
  /** The store of a user for whom row-level security applies. */
  readonly store: RuledStore;
  run(statement: string): Promise<unknown>;
}

/** Two stores with the run `a`, which has three events; `EVENTS`, `RUNS` and `ROLE` are named in statements. */
async function openGuarded(): Promise<Guarded> {
  const pool = openPool(server().url);
  const schema = newSchema();
  const role = `r_${schema}`;
  const admin = await openStore(pool, { schema });
  await admin.createRun(createOf("a"));
  await admin.append(oneTo(3).map((value) => appendOf("a", value)));
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  await pool.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
  await pool.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
  await pool.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`);
  const url = new URL(server().url);
  [url.username, url.password] = [role, role];
  return {
    admin,
    store: createStore(openPool(url.href), { schema }),
    run: (statement) =>
      pool.query(
        statement
          .replaceAll("EVENTS", `${schema}.events`)
          .replaceAll("RUNS", `${schema}.runs`)
          .replaceAll("ROLE", role),
      ),
  };
}

describe("rows that are hidden or lost", () => {
  it("S9: a page whose events a policy hides is an error, and other pages are read", async () => {
    const { admin, store, run } = await openGuarded();
    await admin.createRun(createOf("b"));
    await admin.append([appendOf("b", 1)]);
    await run("ALTER TABLE EVENTS ENABLE ROW LEVEL SECURITY");
    await run("CREATE POLICY of_b ON EVENTS TO ROLE USING (run_key = 2)");
    await store.verify();
    await expect(store.read([queryOf("a")])).rejects.toMatchObject(DAMAGED);
    await expect(store.read([queryOf("a", { since: 2 })])).rejects.toMatchObject(DAMAGED);
    expect(await store.read([queryOf("a", { since: 3 })])).toMatchObject([{ events: [] }]);
    const runs = runsOf(store);
    const [a, b] = await Promise.allSettled([runs.read("a"), runs.read("b")]);
    expect(a).toMatchObject({ status: "rejected", reason: DAMAGED });
    expect(b).toMatchObject({ status: "fulfilled", value: { events: [{ sequence: 1 }] } });
  });

  it.each([1, 2, 3])(
    "S9: a log without its event %i is an error, not a shorter log",
    async (sequence) => {
      const { admin, run } = await openGuarded();
      await run(`DELETE FROM EVENTS WHERE sequence = ${sequence}`);
      for (const since of [0, 1, 2].filter((one) => one < sequence)) {
        const page = admin.read([queryOf("a", { since })]).then(([one]) => one?.events.length);
        // A page before the hole is read.
        if (sequence === 3 && since < 2) expect(await page).toBe(2 - since);
        else await expect(page).rejects.toMatchObject(DAMAGED);
      }
      const pages = readValues(admin, "a");
      await expect(pages).rejects.toMatchObject(DAMAGED);
    },
  );
});
