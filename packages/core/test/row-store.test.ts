import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryRows } from "../src/store/memory-rows.ts";
import { createPolledNotifications } from "../src/store/polled-notifications.ts";
import { workNow } from "../src/store/row-moves.ts";
import { createRowStore } from "../src/store/row-store.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { APPEND, CAPABILITIES, created } from "./server-store.ts";

describe("createRowStore", () => {
  it("S3: an append locks, reads the clock, reads receipts, writes and commits, in this order", async () => {
    const { store, server } = await created();
    await store.append([APPEND]);
    expect(server.log).toEqual([
      "connect",
      "BEGIN write",
      "selectHeads",
      "now",
      "selectReceipts",
      "insertEvents",
      "insertReceipts",
      "saveHeads",
      "COMMIT",
      "release",
    ]);
  });

  it("S21: a claim, a renewal and a release lock, read the clock and save", async () => {
    const { store, server } = await created();
    const claim = await store.claim({ runId: "r", ownerId: null, leaseMs: 1_000 });
    if (claim.outcome !== "granted") throw new Error("Expected the claim to be granted.");
    const { fence } = claim.run;
    await store.renew({ runId: "r", ownerId: null, leaseMs: 1_000, fence });
    await store.release({ runId: "r", ownerId: null, fence });
    const moves = ["selectHeads", "now", "saveHeads"];
    const one = ["connect", "BEGIN write", ...moves, "COMMIT", "release"];
    expect(server.log).toEqual([...one, ...one, ...one]);
  });

  it("S12: an idle read reads only heads, and a refused append writes nothing", async () => {
    const { store, server } = await created();
    await store.append([APPEND]);
    server.log.length = 0;
    await store.read([{ runId: "r", ownerId: null, since: 1, limit: 9, maxBytes: 9 }]);
    expect(server.log).toEqual([
      "connect",
      "SET snapshot",
      "BEGIN snapshot",
      "selectHeads",
      "COMMIT",
      "release",
    ]);
    server.log.length = 0;
    await store.append([appendRequest([newEvent("TOKEN")], { expectedSequence: 9 })]);
    expect(server.log).toEqual([
      "connect",
      "BEGIN write",
      "selectHeads",
      "now",
      "COMMIT",
      "release",
    ]);
  });

  it("S2: an empty call makes no transaction", async () => {
    const { store, server } = await created();
    expect(await store.append([])).toEqual([]);
    expect(await store.read([])).toEqual([]);
    expect(server.log).toEqual([]);
  });

  it("S4: heads are locked by ascending run id, each once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom("a", "B", "-", "_", "z1")), async (runIds) => {
        let locked: readonly string[] = [];
        const rows = new MemoryRows(() => 0);
        const select = rows.selectHeads.bind(rows);
        rows.selectHeads = (asked) => {
          locked = asked;
          return select(asked);
        };
        const store = createRowStore({
          capabilities: CAPABILITIES,
          transact: async (_mode, work) => workNow(work, rows),
          notifications: createPolledNotifications({ selectPositions: null, pollMs: 10 }),
        });
        await store.append(runIds.map((runId) => appendRequest([newEvent("TOKEN")], { runId })));
        expect(locked).toEqual([...new Set(runIds)].sort());
      }),
    );
  });

  it("S18: after close every call is refused, and close waits for those under way", async () => {
    const { store, server } = await created();
    const held = Promise.withResolvers<void>();
    server.fault = (step) => (step === "COMMIT" ? held.promise : undefined);
    let isClosed = false;
    const appended = store.append([APPEND]);
    const closing = store.close().then(() => (isClosed = true));
    await expect(store.append([])).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(store.getRun("r")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(isClosed).toBe(false);
    held.resolve();
    expect(await appended).toMatchObject([{ outcome: "appended" }]);
    await closing;
    await store.close();
  });
});
