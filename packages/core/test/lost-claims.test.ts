import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { RunEventsError, storeClosed } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { ADA } from "./adas-runs.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createHastyClock } from "./hasty-clock.ts";
import { hookStore } from "./hooked-store.ts";
import { settleTurns } from "./settle-turns.ts";

/** The fate of one claim on its way: it is answered; it is granted or never arrives, and its answer is lost; it is refused. */
type Fate = "answered" | "granted" | "lost" | "refused" | "lasting" | "closed";

const IN_DOUBT: readonly Fate[] = ["granted", "lost"];
const LEASE = { ...ADA, leaseMs: 30_000 };

interface Bench {
  readonly log: RunLog;
  /** Another process. */
  readonly other: RunLog;
  /** How often a claim was sent. */
  readonly sent: () => number;
  /** The fences that the store has granted, answered or not. */
  readonly fences: ReadonlySet<number>;
}

/** A log whose claims have these fates, one each, and are then answered. */
async function open(fates: readonly Fate[]): Promise<Bench> {
  const store = createMemoryStore();
  const other = createRunLog({ store });
  let sent = 0;
  const fences = new Set<number>();
  const coming = fates.values();
  const log = createRunLog({
    clock: createHastyClock(),
    store: hookStore(store, Date.now, async (call, go) => {
      if (call !== "claim") return go();
      sent += 1;
      const fate = coming.next().value ?? "answered";
      const land: typeof go = async () => {
        const answer = await go();
        fences.add((await other.getRun("r", ADA)).fence);
        return answer;
      };
      if (fate === "answered") return land();
      if (fate === "granted") await land();
      if (fate === "closed") throw storeClosed();
      throw new RunEventsError("store_unavailable", `The connection was cut: ${fate}.`, {
        ambiguous: IN_DOUBT.includes(fate),
        retryable: fate !== "lasting",
      });
    }),
  });
  await other.createRun({ runId: "r", ownerId: "ada" });
  return { log, other, sent: () => sent, fences };
}

describe("a claim whose answer is lost", () => {
  it("S7, W31: a lost claim is found again by its owner, under its fence, through 10 s of any failures", async () => {
    const fates = fc.tuple(
      fc.constantFrom(...IN_DOUBT),
      fc.array(fc.constantFrom<Fate>(...IN_DOUBT, "refused", "lasting"), { maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fates, async ([first, more]) => {
        const { log, other, sent, fences } = await open([first, ...more]);
        const held = await log.claim("r", LEASE);
        expect(await other.getRun("r", ADA)).toStrictEqual(held);
        expect([...fences]).toStrictEqual([held.fence]);
        expect(sent()).toBeGreaterThan(1);
        await log.append("r", [{ eventType: "TOKEN" }], { ...ADA, fence: held.fence });
      }),
    );
  });

  it("W31: a claim stays in doubt if sending again does not help, and its caller finds it under the same key", async () => {
    const fates: readonly Fate[] = ["granted", ...Array<Fate>(15).fill("refused")];
    const { log, fences } = await open(fates);
    const options = { ...LEASE, idempotencyKey: "claim 1" };
    await expect(log.claim("r", { ...ADA, ...options })).rejects.toMatchObject({
      message: "The connection was cut: granted.",
      ambiguous: true,
    });
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ code: "claimed" });
    const { fence } = await log.claim("r", { ...ADA, ...options });
    expect([...fences]).toStrictEqual([fence]);
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
