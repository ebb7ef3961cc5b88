import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createHastyClock } from "./hasty-clock.ts";
import { createLossyStore, type Fate } from "./lossy-store.ts";
import { settleTurns } from "./settle-turns.ts";

const NOW = 1_780_000_000_000;
/** The fence of the first claim. */
const FENCE = NOW * 1_000 + 1;
const LEASE = { ...ADA, leaseMs: 30_000 };

/** A log whose claims have these fates, one each, and are then answered. */
async function open(fates: readonly Fate[]): Promise<RunLog> {
  const store = createMemoryStore({ now: () => NOW });
  await createRunLog({ store }).createRun({ runId: "r", ownerId: "ada" });
  return createRunLog({ clock: createHastyClock(), store: createLossyStore(fates, store) });
}

describe("a claim whose answer is lost", () => {
  it("W31: a claim stays in doubt if sending again does not help, and its caller finds it under the same key", async () => {
    const log = await open(["landed", ...Array<Fate>(15).fill("refused")]);
    const options = { ...LEASE, idempotencyKey: "claim 1" };
    await expect(log.claim("r", options)).rejects.toMatchObject({
      message: "The connection was cut: landed.",
      ambiguous: true,
    });
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ code: "claimed" });
    expect(await log.claim("r", options)).toMatchObject({ fence: FENCE });
  });

  it("S7: the claims of many runs, lost in one outage, are all sent again for the same 10 s", async () => {
    const store = createMemoryStore();
    const runIds = Array.from({ length: 40 }, (_, at) => `r-${at}`);
    const other = createRunLog({ store });
    for (const runId of runIds) await other.createRun({ ...ADA, runId });
    const clock = createFakeClock();
    const away = new RunEventsError("store_unavailable", "Away.", { ambiguous: true });
    const log = createRunLog({ clock, store: { ...store, change: () => Promise.reject(away) } });
    let ended = 0;
    for (const runId of runIds) void log.claim(runId, LEASE).catch(() => (ended += 1));
    for (let passedMs = 0; passedMs < 11_000; passedMs += 25) {
      await settleTurns(1);
      clock.advance(25);
    }
    await settleTurns(8);
    expect(ended).toBe(40);
    await log.close();
  });
});
