import { expect, it } from "vitest";
import { DRIVERS } from "./drivers.ts";
import { startPeer } from "./peers.ts";
import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { openStore, temporaryFile } from "./stores.ts";

it("S20: a lock that lasts makes a call fail as retryable, on every driver", async () => {
  const lockedOut = DRIVERS.map(async (driver) => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    const peer = await startPeer(driver, file);
    await peer.call("hold");
    await expect(store.append([appendOf("a", 1)])).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: true,
      ambiguous: false,
      cause: expect.any(Error),
    });
    await peer.call("release");
    expect(await readValues(store, "a")).toEqual([]);
    await store.append([appendOf("a", 2)]);
    expect(await readValues(store, "a")).toEqual([2]);
  });
  await Promise.all(lockedOut);
});
