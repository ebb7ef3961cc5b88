import { appendOf, claimOf, createOf } from "@tm/run-events-test-servers/requests";
import { expect, it } from "vitest";
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
  useServer,
} from "./stores.ts";

const server = useServer();

it.each(ISOLATIONS)(
  "S21: where %s is the database's default isolation, a run that moves while its change waits for it is a conflict, also if the statement is refused with 40001",
  async (level) => {
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
    // The refused statement is sent again, and finds that the run has moved.
    expect(pool.count(COMMIT) - commits).toBe(level === "read committed" ? 2 : 3);
  },
);
