import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { ADA } from "./adas-runs.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createHastyClock } from "./hasty-clock.ts";
import { createLossyStore, type Fate } from "./lossy-store.ts";
import { settleTurns } from "./settle-turns.ts";

const NOW = 1_780_000_000_000;
/** The fence of the first claim. */
const FENCE = NOW * 1_000 + 1;
const LEASE = { ...ADA, leaseMs: 30_000 };

interface Bench {
  readonly log: RunLog;
  /** Another process. */
  readonly other: RunLog;
  /** How often a claim was sent. */
  readonly sent: () => number;
}

/** A log whose claims have these fates, one each, and are then answered. */
async function open(fates: readonly Fate[]): Promise<Bench> {
  const store = createMemoryStore({ now: () => NOW });
  const other = createRunLog({ store });
  await other.createRun({ runId: "r", ownerId: "ada" });
  const lossy = createLossyStore(fates, store);
  let sent = 0;
  const change: RunEventStore["change"] = (changes) => {
    sent += 1;
    return lossy.change(changes);
  };
  const log = createRunLog({ clock: createHastyClock(), store: { ...lossy, change } });
  return { log, other, sent: () => sent };
}

describe("a claim whose answer is lost", () => {
  it("S7, W31: a lost claim is found again by its owner, under its fence, through 10 s of any failures", async () => {
    const fates = fc.tuple(
      fc.constantFrom<Fate>("landed", "lost"),
      fc.array(fc.constantFrom<Fate>("landed", "lost", "refused", "fatal"), { maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fates, async ([first, more]) => {
        const { log, other, sent } = await open([first, ...more]);
        const held = await log.claim("r", LEASE);
        expect(await other.getRun("r", ADA)).toStrictEqual(held);
        expect(held.fence).toBe(FENCE);
        expect(sent()).toBeGreaterThan(1);
        await log.append("r", [{ eventType: "TOKEN" }], { ...ADA, fence: FENCE });
      }),
    );
  });

  it("W31: a claim stays in doubt if sending again does not help, and its caller finds it under the same key", async () => {
    const { log } = await open(["landed", ...Array<Fate>(15).fill("refused")]);
    const options = { ...LEASE, idempotencyKey: "claim 1" };
    await expect(log.claim("r", options)).rejects.toMatchObject({
      message: "The connection was cut: landed.",
      ambiguous: true,
    });
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ code: "claimed" });
    expect(await log.claim("r", options)).toMatchObject({ fence: FENCE });
  });

  it("W31, S18: a claim is not sent again once the store is closed", async () => {
    const { log, sent } = await open(["lost", "closed"]);
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ ambiguous: true });
    expect(sent()).toBe(2);
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
