import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { DRIVERS } from "./drivers.ts";
import { startPeer } from "./peers.ts";
import {
  appendOf,
  createOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { plainOf } from "./plain.ts";
import { openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("sharing a file on $name", (driver) => {
  it("the event loop is free while another process holds the lock", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    const peer = await startPeer(driver, file);
    await peer.call("hold");
    let landed = false;
    const append = store.append([appendOf("a", 1)]).finally(() => (landed = true));
    // Each round trip needs this event loop twice. A loop that waited in SQLite for the lock would never get through them.
    for (const _ of oneTo(50)) await peer.call("ping");
    expect(landed).toBe(false);
    expect(await store.read([queryOf("a")])).toMatchObject([{ events: [] }]);
    await peer.call("release");
    expect(await append).toMatchObject([{ outcome: "appended", firstSequence: 1 }]);
  });

  it("writes that waited for a lock land in the order of their calls", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    await store.append([appendOf("a", 0)]);
    const peer = await startPeer(driver, file);
    await peer.call("hold");
    const appended = Promise.all(
      oneTo(30).map((value) => store.inner.append([plainOf("a", value)])),
    );
    for (const _ of oneTo(10)) await peer.call("ping");
    await peer.call("release");
    await appended;
    expect(await readValues(store, "a")).toEqual([0, ...oneTo(30)]);
  });

  it("S6: an append does not land inside a transaction that the caller can still roll back", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await store.createRun(createOf("a"));
    db.exec("CREATE TABLE business (id INTEGER)");
    db.exec("BEGIN");
    db.exec("INSERT INTO business VALUES (1)");
    let settled = 0;
    const calls = [
      store.append([appendOf("a", 1)]),
      store.read([queryOf("a")]),
      store.createRun(createOf("b")),
    ].map((call) => call.finally(() => (settled += 1)));
    for (const _ of oneTo(100)) await nextTurn();
    expect(settled).toBe(0);
    db.exec("ROLLBACK");
    await Promise.all(calls);
    expect(await readValues(store, "a")).toEqual([1]);
    expect(await store.getRun("b")).not.toBeNull();
    expect(db.prepare("SELECT * FROM business").all()).toEqual([]);
  });

  it("S18: `close` ends calls that wait for a lock", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await store.createRun(createOf("a"));
    db.exec("BEGIN");
    const append = store.append([appendOf("a", 1)]);
    await store.close();
    db.exec("COMMIT");
    await expect(append).rejects.toMatchObject({ code: "store_unavailable", retryable: false });
  });
});
