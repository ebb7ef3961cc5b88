import { describe, expect, it } from "vitest";
import { DRIVERS, type Handle } from "./drivers.ts";
import { startConfinedPeer, startPeer } from "./peers.ts";
import { createOf, readLog } from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

const UNAVAILABLE = { code: "store_unavailable", ambiguous: false };

function versionOf(db: Handle): unknown {
  return db.prepare("PRAGMA data_version").get();
}

describe.each(DRIVERS)("a probe on $name", (driver) => {
  it.each(["FULL", "NORMAL"] as const)(
    "S31: a probe commits pages each time, with %s, and leaves no row and no event",
    async (synchronous) => {
      const file = temporaryFile();
      const { db, store } = await openStore(driver, file, { synchronous });
      await store.createRun(createOf("a"));
      const other = openHandle(driver, file);
      for (let count = 0; count < 3; count++) {
        const before = versionOf(other);
        await store.probe();
        expect(versionOf(other)).not.toEqual(before);
      }
      expect(db.prepare("SELECT * FROM run_events_probes").all()).toEqual([]);
      expect(await readLog(store, "a")).toEqual([]);
    },
  );

  it("S31: a probe takes no more room than the one before", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    const pages = (): unknown => db.prepare("PRAGMA page_count").get();
    await store.probe();
    const before = pages();
    for (let count = 0; count < 20; count++) await store.probe();
    expect(pages()).toEqual(before);
  });

  it("S31: a probe fails as an append does when the log cannot grow", async () => {
    const file = temporaryFile();
    const peer = await startConfinedPeer(driver, file, 400);
    await peer.call("migrate");
    let probes = 0;
    const fill = async (): Promise<never> => {
      for (;;) {
        await peer.call("probe");
        probes += 1;
      }
    };
    await expect(fill()).rejects.toMatchObject({ failure: { code: "store_unavailable" } });
    expect(probes).toBeGreaterThan(0);
  });

  it("S31: a probe waits for a lock as an append does", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const peer = await startPeer(driver, file);
    await peer.call("hold");
    let isGood = false;
    const probe = store.probe().then(() => (isGood = true));
    for (let count = 0; count < 20; count++) await peer.call("ping");
    expect(isGood).toBe(false);
    await peer.call("release");
    await probe;
  });

  it.each(["run_events_receipts", "run_events_events", "run_events_probes"])(
    "S31: after the table %s was dropped, a probe and `verify` name it",
    async (table) => {
      const { db, store } = await openStore(driver, temporaryFile());
      db.exec("PRAGMA foreign_keys = OFF");
      db.exec(`DROP TABLE ${table}`);
      const cause = expect.objectContaining({ message: expect.stringContaining(table) });
      const missing = { ...UNAVAILABLE, retryable: false, cause };
      await expect(store.probe()).rejects.toMatchObject(missing);
      await expect(store.verify()).rejects.toMatchObject(missing);
      await expect(store.migrate()).rejects.toMatchObject(missing);
    },
  );
});
