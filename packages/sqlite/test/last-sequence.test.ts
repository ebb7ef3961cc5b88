import { expectRoomForTheEnd } from "@tm/run-events-test-servers/last-sequence";
import { it } from "vitest";
import { DRIVERS } from "./drivers.ts";
import { openStore, temporaryFile } from "./stores.ts";

it.each(DRIVERS)(
  "S1: no append passes the last safe integer, which a run keeps for its end: $name",
  async (driver) => {
    const { db, store } = await openStore(driver, temporaryFile());
    await expectRoomForTheEnd(store.inner, async (runId, sequence) => {
      const key = "(SELECT run_key FROM run_events_runs WHERE run_id = ?)";
      db.prepare(`UPDATE run_events_events SET sequence = ? WHERE run_key = ${key}`).run(
        BigInt(sequence),
        runId,
      );
      db.prepare("UPDATE run_events_runs SET last_sequence = ? WHERE run_id = ?").run(
        BigInt(sequence),
        runId,
      );
    });
  },
);
