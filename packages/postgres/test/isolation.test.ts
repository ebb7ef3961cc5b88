import {
  appendOf,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readLog,
} from "@tm/run-events-test-servers/requests";
import { describe, expect, it } from "vitest";
import { PATIENT } from "./patient.ts";
import { plainOf } from "./plain-of.ts";
import { COMMIT, recordPool, SEE } from "./recorded-pool.ts";
import {
  begin,
  countWaiting,
  isolated,
  ISOLATIONS,
  newSchema,
  openPool,
  openStore,
  type RuledStore,
  useServer,
} from "./stores.ts";

const server = useServer();

describe.each(ISOLATIONS)("where %s is the database's default isolation", (level) => {
  async function openFour(): Promise<readonly RuledStore[]> {
    const schema = newSchema();
    return Promise.all(
      oneTo(4).map(() => openStore(openPool(server().url, isolated(level)), { schema })),
    );
  }

  /** The outcomes of calls at once, in order. */
  async function outcomesOf(
    calls: readonly Promise<{ readonly outcome: string }>[],
  ): Promise<readonly string[]> {
    return (await Promise.all(calls)).map(({ outcome }) => outcome).toSorted();
  }

  it("S4, S21: of creations, claims and ends of one run at once, one wins", async () => {
    const stores = await openFour();
    for (const round of oneTo(15)) {
      const runId = `run-${round}`;
      const place = { topic: "tea", exclusive: true };
      const created = stores.map((store, at) =>
        store.createRun({ ...createOf(`${runId}-${at}`), ...place }),
      );
      const others = oneTo(3).map(() => "topic_busy");
      expect(await outcomesOf(created)).toEqual(["created", ...others]);
      const made = (await Promise.all(created)).findIndex(({ outcome }) => outcome === "created");
      const name = `${runId}-${made}`;
      const claims = [...stores, ...stores].map((store) => store.claim(claimOf(name)));
      expect(await outcomesOf(claims)).toEqual([...oneTo(7).map(() => "claimed"), "granted"]);
      const ends = stores.map(async (store) => {
        const [outcome] = await store.append([endOf(name, { appender: { by: "owner" } })]);
        return outcome ?? { outcome: "nothing" };
      });
      expect(await outcomesOf(ends)).toEqual(["appended", ...oneTo(3).map(() => "finished")]);
    }
  });

  it("S17, S24: of purges at once, one removes each run", async () => {
    const stores = await openFour();
    const [store] = stores as [RuledStore];
    const runIds = oneTo(60).map((number) => `run-${number}`);
    for (const runId of runIds) await store.createRun(createOf(runId));
    await store.append(runIds.map((runId) => endOf(runId)));
    const purged = await Promise.all(
      stores.map(async (one) => {
        const all: string[] = [];
        for (;;) {
          const gone = await one.purge({ finishedForMs: 0, limit: 7 });
          if (gone.length === 0) return all;
          all.push(...gone.map(({ runId }) => runId));
        }
      }),
    );
    expect(purged.flat().toSorted()).toEqual(runIds.toSorted());
  });

  it("S1, S2: groups over the same runs at once land whole, without a gap", async () => {
    const stores = await openFour();
    const runIds = oneTo(10).map((number) => `run-${number}`);
    for (const runId of runIds) await stores[0]?.createRun(createOf(runId));
    await Promise.all(
      stores.map(async (store) => {
        for (const value of oneTo(5))
          await store.append(runIds.map((runId) => appendOf(runId, value)));
      }),
    );
    for (const runId of runIds) {
      const log = stores[0] === undefined ? [] : await readLog(stores[0], runId);
      expect(log.map(({ sequence }) => sequence)).toEqual(oneTo(20));
    }
  });

  it("S21: a run that moves while its change waits for it is a conflict, also where the database refuses the statement with 40001", async () => {
    const schema = newSchema();
    const real = openPool(server().url, isolated(level));
    const pool = recordPool(real);
    const store = await openStore(pool, { schema });
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    await store.append([appendOf("b", 0)]);
    const move = `UPDATE ${schema}.runs SET revision = revision + 1`;
    const mover = await begin(openPool(server().url), move);
    const [sees, commits] = [pool.count(SEE), pool.count(COMMIT)];
    const claimed = store.claim(claimOf("a"));
    await expect.poll(() => countWaiting(real), PATIENT).toBe(1);
    const appended = store.inner.append([plainOf("b", 1)]);
    await expect.poll(() => countWaiting(real), PATIENT).toBe(2);
    await mover.query("COMMIT");
    expect(await claimed).toMatchObject({ outcome: "granted" });
    expect(await appended).toMatchObject([{ firstSequence: 2 }]);
    expect(pool.count(SEE) - sees).toBe(2);
    // What was refused is sent again, and finds that the run has moved.
    expect(pool.count(COMMIT) - commits).toBe(level === "read committed" ? 2 : 3);
  });
});
