import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DRIVERS } from "./drivers.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  releaseOf,
} from "@tm/run-events-test-servers/requests";
import { openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("a claim's key on $name", (driver) => {
  it("S21: the same claim, sent again, gets the same lease, even from another store", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const { store: other } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    const claim = { ...claimOf("a"), claimKey: "k 1" };
    const granted = await store.claim(claim);
    expect(granted).toMatchObject({ outcome: "granted" });
    for (const one of [store, other]) expect(await one.claim(claim)).toEqual(granted);
    for (const refused of [claimOf("a"), { ...claim, claimKey: "k 2" }]) {
      expect(await other.claim(refused)).toMatchObject({ outcome: "claimed" });
    }
    expect(await store.getRun("a")).toEqual(granted.outcome === "granted" ? granted.run : null);
  });

  it("S21: a key does not match a later lease, nor its own after it has expired or was released", async () => {
    const { store } = await openStore(driver, temporaryFile());
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    await store.createRun(createOf("a"));
    const claim = { ...claimOf("a", 1_000), claimKey: "k" };
    const { fence: first } = await claimed(store, claim);
    vi.setSystemTime(Date.now() + 1_000);
    const { fence: second } = await claimed(store, claim);
    expect(second).toBeGreaterThan(first);
    await store.release(releaseOf("a", second));
    const { fence: third } = await claimed(store, claimOf("a"));
    expect(third).toBeGreaterThan(second);
    expect(await store.claim(claim)).toMatchObject({ outcome: "claimed" });
    await store.append([appendOf("a", 1, { appender: { by: "owner" } })]);
    expect((await claimed(store, claim)).fence).toBeGreaterThan(third + 1);
  });

  it("S19, S21: a program of the previous version may claim at the same time, and its lease has neither key nor name", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await store.createRun(createOf("a"));
    const claim = { ...claimOf("a"), claimKey: "k", worker: "w-1" };
    const { fence } = await claimed(store, claim);
    // The statements of the previous version.
    db.prepare(
      "UPDATE run_events_runs SET fence = ?, lease_expires_at_ms = ? WHERE run_key = ?",
    ).run(fence + 1, Date.now() + 60_000, 1);
    db.prepare(
      `INSERT INTO run_events_runs (run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata)
       VALUES (?, ?, ?, ?, 0, ?, ?, ?)`,
    ).run("b", "ada", "queued", null, 1, 1, "{}");
    expect(await store.claim(claim)).toMatchObject({ outcome: "claimed" });
    expect((await store.getRun("a"))?.worker).toBeNull();
    expect(await store.claim({ ...claim, runId: "b" })).toMatchObject({ outcome: "granted" });
    // The previous version refuses a schema only by this.
    expect(
      db.prepare("SELECT migration FROM run_events_schema WHERE breaking = 1").all(),
    ).toHaveLength(2);
  });
});
