import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DRIVERS } from "./drivers.ts";
import { appendOf, createOf, oneTo } from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

const MOST_WAL_BYTES = 67_108_864;

describe.each(DRIVERS)("the log of the file on $name", (driver) => {
  it("S6: the log of the file shrinks again after a long reader, which made it grow, has ended", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file, { synchronous: "NORMAL" });
    await store.createRun(createOf("a"));
    const reader = openHandle(driver, file);
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM run_events_runs").get();
    for (const value of oneTo(40)) {
      await store.append(oneTo(8).map(() => appendOf("a", `${value}${"x".repeat(250_000)}`)));
    }
    const walBytes = (): number => statSync(`${file}-wal`).size;
    expect(walBytes()).toBeGreaterThan(MOST_WAL_BYTES);
    reader.exec("COMMIT");
    // One commit moves all of the log into the database, and the next starts the log again.
    for (const value of oneTo(2)) await store.append([appendOf("a", value)]);
    expect(walBytes()).toBeLessThanOrEqual(MOST_WAL_BYTES);
  });
});
