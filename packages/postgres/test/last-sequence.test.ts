import { expectRoomForTheEnd } from "@tm/run-events-test-servers/last-sequence";
import { it } from "vitest";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

it("S1: no append passes the last safe integer, which a run keeps for its end", async () => {
  const schema = newSchema();
  const pool = openPool(server().url);
  const store = await openStore(pool, { schema });
  await expectRoomForTheEnd(store.inner, async (runId, sequence) => {
    const runs = `UPDATE ${schema}.runs SET last_sequence = $2 WHERE run_id = $1 RETURNING run_key`;
    const { rows } = await pool.query(runs, [runId, sequence]);
    const events = `UPDATE ${schema}.events SET sequence = $2 WHERE run_key = $1`;
    await pool.query(events, [rows[0].run_key, sequence]);
  });
});
