import { DEPARTURES_MS } from "@tm/run-events-core/store";
import { createOf } from "@tm/run-events-test-servers/requests";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { appendRequest, event } from "../../conformance/src/append-request.ts";
import { ChangedReader } from "../../conformance/src/changed-reader.ts";
import { DRIVERS } from "./drivers.ts";
import { openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("the departures on $name", (driver) => {
  it("S29: the departure of a cursor stays until the one after it is older than any cursor", async () => {
    const { store, db } = await openStore(driver, temporaryFile());
    const end = async (runId: string): Promise<void> => {
      await store.createRun(createOf(runId));
      await store.append([appendRequest(runId, [event("RUN_COMPLETED")])]);
    };
    const keys = (): unknown[] =>
      db
        .prepare("SELECT departure_key AS key FROM run_events_departures ORDER BY 1")
        .all()
        .map((row) => (row as { readonly key: number }).key);
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const passTime = (): unknown => vi.setSystemTime(Date.now() + DEPARTURES_MS + 60_000);
    await end("a");
    await end("b");
    passTime();
    const reader = new ChangedReader();
    await reader.askAll(store);
    await end("c");
    expect(keys()).toEqual([2, 3]);
    // The cursor is good although nothing had departed for hours when it was made.
    expect(await reader.askAll(store)).toEqual({ runs: ["c"], gone: [] });
    passTime();
    await end("d");
    expect(keys()).toEqual([3, 4]);
  });
});
