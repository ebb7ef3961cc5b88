import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import type { ClaimRequest } from "../src/rules/claims.ts";
import { RunEventsError, storeClosed } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createHastyClock } from "./hasty-clock.ts";

/** The fate of one claim on its way: it is answered; it is granted or never arrives, and its answer is lost; it is refused. */
type Fate = "answered" | "granted" | "lost" | "refused" | "lasting" | "closed";

const IN_DOUBT: readonly Fate[] = ["granted", "lost"];
const LEASE = { leaseMs: 30_000 };

interface Bench {
  readonly log: RunLog;
  readonly store: RunEventStore;
  readonly claims: ClaimRequest[];
  /** The claims that the store has granted, answered or not. */
  readonly fences: ReadonlySet<number>;
}

/** A log whose claims have these fates, one each, and are then answered. */
async function open(fates: readonly Fate[]): Promise<Bench> {
  const store = createMemoryStore();
  const claims: ClaimRequest[] = [];
  const fences = new Set<number>();
  const claim: RunEventStore["claim"] = async (request) => {
    const outcome = await store.claim(request);
    if (outcome.outcome === "granted") fences.add(outcome.run.fence);
    return outcome;
  };
  const coming = fates.values();
  const log = createRunLog({
    clock: createHastyClock(),
    store: {
      ...store,
      async claim(request) {
        claims.push(request);
        const fate = coming.next().value ?? "answered";
        if (fate === "answered") return claim(request);
        if (fate === "granted") await claim(request);
        if (fate === "closed") throw storeClosed();
        throw new RunEventsError("store_unavailable", `The connection was cut: ${fate}.`, {
          ambiguous: IN_DOUBT.includes(fate),
          retryable: fate !== "lasting",
        });
      },
    },
  });
  await log.createRun({ runId: "r", ownerId: "ada" });
  return { log, store, claims, fences };
}

describe("a claim whose answer is lost", () => {
  it("S21, S7: a lost claim is found again by its owner, under its fence, through 10 s of any failures", async () => {
    const fates = fc.tuple(
      fc.constantFrom(...IN_DOUBT),
      fc.array(fc.constantFrom<Fate>(...IN_DOUBT, "refused", "lasting"), { maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fates, async ([first, more]) => {
        const { log, store, claims, fences } = await open([first, ...more]);
        const held = await log.claim("r", LEASE);
        expect(await store.getRun("r")).toStrictEqual(held);
        expect([...fences]).toStrictEqual([held.fence]);
        expect(new Set(claims.map(({ claimKey }) => claimKey)).size).toBe(1);
        await log.append("r", [{ eventType: "TOKEN" }], { fence: held.fence });
      }),
    );
  });

  it("S21: a claim stays in doubt if sending again does not help, and its caller finds it under the same key", async () => {
    const fates: readonly Fate[] = ["granted", ...Array<Fate>(15).fill("refused")];
    const { log, fences } = await open(fates);
    const options = { ...LEASE, idempotencyKey: "claim 1" };
    await expect(log.claim("r", options)).rejects.toMatchObject({
      message: "The connection was cut: granted.",
      ambiguous: true,
    });
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ code: "claimed" });
    const { fence } = await log.claim("r", options);
    expect([...fences]).toStrictEqual([fence]);
  });

  it("S21, S18: a claim is not sent again once the store is closed", async () => {
    const { log, claims } = await open(["lost", "closed"]);
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ ambiguous: true });
    expect(claims).toHaveLength(2);
  });

  it("S21: a lost claim of a run that another worker has claimed meanwhile is refused like any claim", async () => {
    const { log, store } = await open(["lost"]);
    await store.claim({ runId: "r", ownerId: null, leaseMs: 30_000 });
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ code: "claimed" });
  });
});

describe("a claim", () => {
  it("S21: a claim that fails without doubt is not sent again", async () => {
    const { log, claims } = await open(["refused"]);
    await expect(log.claim("r", LEASE)).rejects.toMatchObject({ ambiguous: false });
    expect(claims).toHaveLength(1);
  });

  it("S21: a claim has a new key, or its caller's", async () => {
    const { log, claims } = await open([]);
    for (const named of [{ idempotencyKey: "mine" }, {}, {}]) {
      const { fence } = await log.claim("r", { ...LEASE, ...named });
      await log.release("r", fence);
    }
    const keys = claims.map(({ claimKey }) => claimKey);
    expect(keys[0]).toBe("mine");
    expect(new Set(keys).size).toBe(3);
    expect(keys[1]).toMatch(/^[\x20-\x7e]{1,128}$/);
  });

  it.each(["", "x".repeat(129), "kéy", "a\n"])(
    "S21: the claim key %j is refused",
    async (idempotencyKey) => {
      const { log, claims } = await open([]);
      await expect(log.claim("r", { ...LEASE, idempotencyKey })).rejects.toMatchObject({
        code: "invalid_request",
      });
      expect(claims).toHaveLength(0);
    },
  );
});
