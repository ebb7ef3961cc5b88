import { describe, expect, it } from "vitest";
import { DRIVERS } from "./drivers.ts";
import { startConfinedPeer, startPeer } from "./peers.ts";
import { createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("a crash on $name", (driver) => {
  it("S1: events that a killed process acknowledged are in the log once and in order", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    let acknowledged = 0;
    for (const _ of oneTo(5)) {
      const peer = await startPeer(driver, file);
      const enough = acknowledged + 1 + Math.floor(Math.random() * 40);
      await new Promise<void>((resolve) => {
        peer.onAcknowledged((count) => {
          acknowledged = count;
          if (count >= enough) resolve();
        });
        void peer.call("record", { runId: "a" });
      });
      await peer.kill();
      const values = await readValues(store, "a");
      expect(values).toEqual(oneTo(values.length));
      expect(values.length).toBeGreaterThanOrEqual(acknowledged);
    }
  });

  it("S7: a disk that fails at the commit leaves the append in doubt, and loses nothing acknowledged", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    const peer = await startConfinedPeer(driver, file, 400);
    let acknowledged = 0;
    peer.onAcknowledged((count) => (acknowledged = count));
    await expect(peer.call("record", { runId: "a" })).rejects.toMatchObject({
      failure: { code: "store_unavailable", retryable: true, ambiguous: true },
    });
    expect(acknowledged).toBeGreaterThan(0);
    // The handle can still read, and other processes can use the file.
    expect(await peer.call("ping")).toBeNull();
    expect(await readValues(store, "a")).toEqual(oneTo(acknowledged));
    await peer.kill();
    const { store: after } = await openStore(driver, file);
    const values = await readValues(after, "a");
    expect(values).toEqual(oneTo(values.length));
    expect(values.length).toBeGreaterThanOrEqual(acknowledged);
  });
});
