import { describe, expect, it, vi } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { recordPool, type SentStatement } from "./recorded-pool.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  oneTo,
  releaseOf,
  renewOf,
} from "@tm/run-events-test-servers/requests";
import {
  begin,
  countWaiting,
  isolated,
  ISOLATIONS,
  newSchema,
  openPool,
  openStore,
  useServer,
} from "./stores.ts";
import { refuseUpdates } from "./stubborn-run.ts";

const server = useServer();

/** Part of the statements that change a lease, and of no others. */
const CHANGE = "AS granted";

function loseChanges({ text }: SentStatement): void {
  if (text.includes(CHANGE)) throw new Error("Connection terminated unexpectedly");
}

describe("a lease", () => {
  it.each(ISOLATIONS)(
    "S21: of eight claims of a run at once, one is granted: %s",
    async (level) => {
      const schema = newSchema();
      const stores = await Promise.all(
        oneTo(4).map(() =>
          openStore(openPool(server().url, { max: 3, ...isolated(level) }), { schema }),
        ),
      );
      const [store] = stores as [PostgresStore];
      for (const round of oneTo(30)) {
        const runId = `run-${round}`;
        await store.createRun(createOf(runId));
        const claims = await Promise.all(
          [...stores, ...stores].map((one) => one.claim(claimOf(runId))),
        );
        const outcomes = claims.map(({ outcome }) => outcome);
        expect(outcomes.toSorted()).toEqual([...oneTo(7).map(() => "claimed"), "granted"]);
        const winner = claims.find(({ outcome }) => outcome === "granted");
        expect(winner).toEqual({ outcome: "granted", run: await store.getRun(runId) });
      }
    },
  );

  it("S21: a lease is claimed, renewed, released and refused in one statement each", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    await store.createRun(createOf("done"));
    await store.append([endOf("done")]);
    const { fence, leaseExpiresAtMs } = await claimed(store, claimOf("a"));
    expect([
      await store.renew(renewOf("a", fence)),
      await store.claim(claimOf("a")),
      await store.claim({ ...claimOf("a"), ownerId: "bob" }),
      await store.claim(claimOf("nowhere")),
      await store.claim(claimOf("done")),
      await store.renew(renewOf("a", fence + 1)),
      await store.release(releaseOf("a", fence + 1)),
      await store.release(releaseOf("a", fence)),
      await store.release(releaseOf("a", fence)),
      await store.renew(renewOf("a", fence)),
    ]).toMatchObject([
      { outcome: "granted", run: { fence } },
      { outcome: "claimed", leaseExpiresAtMs: expect.any(Number) },
      { outcome: "not_found" },
      { outcome: "not_found" },
      { outcome: "finished", runStatus: "completed", lastSequence: 1 },
      { outcome: "fenced" },
      { outcome: "fenced" },
      { outcome: "granted", run: { fence, leaseExpiresAtMs: null } },
      { outcome: "granted", run: { fence, leaseExpiresAtMs: null } },
      { outcome: "fenced" },
    ]);
    expect(pool.count(CHANGE)).toBe(11);
    // By the server's clock, which is this machine's here.
    expect(Math.abs(Number(leaseExpiresAtMs) - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  it("S21: a refusal waits for no lock, and a claim after a faster one is sent once more", async () => {
    const real = openPool(server().url);
    const pool = recordPool(real);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    await claimed(store, claimOf("a"));
    const until = Date.now() + 3_600_000;
    const other = await begin(
      real,
      `UPDATE ${schema}.runs SET fence = fence + 1, lease_expires_at_ms = ${until}`,
    );
    expect(await store.claim(claimOf("a"))).toMatchObject({ outcome: "claimed" });
    const before = pool.count(CHANGE);
    const late = store.claim(claimOf("b"));
    await expect.poll(() => countWaiting(real), PATIENT).toBe(1);
    await other.query("COMMIT");
    expect(await late).toEqual({ outcome: "claimed", leaseExpiresAtMs: until });
    expect(pool.count(CHANGE) - before).toBe(2);
    expect(await store.getRun("b")).toMatchObject({ fence: 1 });
  });

  it("S7: a claim whose answer is lost is in doubt, and is not sent again", async () => {
    const recorded = recordPool(openPool(server().url), undefined, loseChanges);
    const store = await openStore(recorded);
    await store.createRun(createOf("a"));
    const lost = { code: "store_unavailable", retryable: true };
    await expect(store.claim(claimOf("a"))).rejects.toMatchObject({ ...lost, ambiguous: true });
    expect(recorded.count(CHANGE)).toBe(1);
    const { fence = 0 } = (await store.getRun("a")) ?? {};
    expect(fence).toBeGreaterThan(0);
    // These may be sent again, and then answer the same.
    await expect(store.renew(renewOf("a", fence))).rejects.toMatchObject(lost);
    await expect(store.release(releaseOf("a", fence))).rejects.toMatchObject(lost);
    expect(await store.getRun("a")).toMatchObject({ fence, leaseExpiresAtMs: null });
  });

  it("S21: a claim whose answer was lost finds its lease by its key, in one statement", async () => {
    const schema = newSchema();
    const pool = openPool(server().url);
    const losing = await openStore(recordPool(pool, undefined, loseChanges), { schema });
    const recorded = recordPool(pool);
    const store = await openStore(recorded, { schema });
    await store.createRun(createOf("a"));
    const claim = { ...claimOf("a"), claimKey: "one" };
    await expect(losing.claim(claim)).rejects.toMatchObject({ ambiguous: true });
    const lease = await store.getRun("a");
    expect(lease?.leaseExpiresAtMs).toEqual(expect.any(Number));
    expect(await store.claim({ ...claim, leaseMs: 1 })).toEqual({ outcome: "granted", run: lease });
    expect(await store.claim({ ...claim, claimKey: "two" })).toMatchObject({ outcome: "claimed" });
    expect(await store.claim({ ...claim, ownerId: "bob" })).toMatchObject({ outcome: "not_found" });
    expect(recorded.count(CHANGE)).toBe(3);
    await store.append([endOf("a", { appender: { by: "worker", fence: lease?.fence ?? 0 } })]);
    expect(await store.claim(claim)).toMatchObject({ outcome: "finished" });
  });

  it.each(ISOLATIONS)(
    "S21: a claim that is sent twice at once gets one lease, whichever comes first: %s",
    async (level) => {
      const schema = newSchema();
      const stores = await Promise.all(
        oneTo(4).map(() => openStore(openPool(server().url, isolated(level)), { schema })),
      );
      for (const round of oneTo(20)) {
        const claim = { ...claimOf(`run-${round}`), claimKey: "one" };
        await stores[0]?.createRun(createOf(claim.runId));
        const claims = await Promise.all(stores.map((store) => store.claim(claim)));
        const granted = claims.flatMap((one) => (one.outcome === "granted" ? [one.run] : []));
        expect(granted).toEqual(oneTo(4).map(() => granted[0]));
      }
    },
  );

  it("S21: the key of a released lease has no effect once another worker was faster", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    const claim = { ...claimOf("a"), claimKey: "one" };
    const { fence } = await claimed(store, claim);
    await store.release(releaseOf("a", fence));
    const until = Date.now() + 3_600_000;
    const faster = await begin(
      pool,
      `UPDATE ${schema}.runs SET fence = fence + 1, lease_expires_at_ms = ${until}, claim_key = NULL`,
    );
    // It began when the run was free, and sees its old key.
    const late = store.claim(claim);
    await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
    await faster.query("COMMIT");
    expect(await late).toEqual({ outcome: "claimed", leaseExpiresAtMs: until });
  });

  it("S21, W44: a key and a name that a program without them has left have no effect on the next lease", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    const claim = { ...claimOf("a"), claimKey: "one", worker: "w-1" };
    const { fence } = await claimed(store, claim);
    // Such a program releases and claims like this.
    await pool.query(`UPDATE ${schema}.runs SET lease_expires_at_ms = NULL`);
    await pool.query(`UPDATE ${schema}.runs SET fence = fence + 1, lease_expires_at_ms = $1`, [
      Date.now() + 3_600_000,
    ]);
    expect(await store.claim(claim)).toMatchObject({ outcome: "claimed" });
    expect((await store.getRun("a"))?.worker).toBeNull();
    // And it cancels like this, which leaves no lease.
    await pool.query(`UPDATE ${schema}.runs SET fence = fence + 1, lease_expires_at_ms = NULL`);
    expect((await claimed(store, claim)).fence).toBeGreaterThan(fence + 2);
  });

  it("S20: a run that neither takes a change nor refuses it is a failure, not an endless loop", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    await refuseUpdates(pool, schema, "a");
    await expect(store.claim(claimOf("a"))).rejects.toMatchObject({
      code: "store_unavailable",
      ambiguous: false,
    });
  });

  it("S21: a lease changes no time and notifies no subscription", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    const created = await store.getRun("a");
    const { fence, ...held } = await claimed(store, claimOf("a"));
    expect(fence).toBeGreaterThan(0);
    expect({ ...held, fence }).toEqual({
      ...created,
      fence,
      leaseExpiresAtMs: expect.any(Number),
    });
    await untilProven(store, pool, "b");
    const onNotification = vi.fn();
    store.subscribe("a", onNotification);
    // A poll finds the run, whose head was not known before. The next notification after that is the append's.
    await expect.poll(() => onNotification.mock.calls.length, PATIENT).toBe(1);
    for (const number of oneTo(5)) await store.renew(renewOf("a", fence, 1_000_000 + number));
    await store.release(releaseOf("a", fence));
    expect(onNotification).toHaveBeenCalledTimes(1);
    await store.append([appendOf("a")]);
    await expect.poll(() => onNotification.mock.calls.length, PATIENT).toBe(2);
  });
});
