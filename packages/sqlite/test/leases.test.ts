import { describe, expect, it, onTestFinished, vi } from "vitest";
import { prepareStatement } from "../src/handle.ts";
import { prepareStatements } from "../src/statements.ts";
import { tablesOf } from "../src/tables.ts";
import { DRIVERS } from "./drivers.ts";
import { startPeer } from "./peers.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readLog,
  readValues,
  releaseOf,
  renewOf,
} from "@tm/run-events-test-servers/requests";
import { openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("leases on $name", (driver) => {
  it("S21: of four processes that claim a run at once, exactly one has it", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const peers = await Promise.all(oneTo(4).map(() => startPeer(driver, file)));
    for (const round of oneTo(50)) {
      const runId = `run-${round}`;
      await store.createRun(createOf(runId));
      const claims = await Promise.all(
        peers.map((peer) => peer.call("claim", { runId, leaseMs: 3_600_000 })),
      );
      const outcomes = claims.map(({ outcome }) => outcome).toSorted();
      expect(outcomes).toEqual(["claimed", "claimed", "claimed", "granted"]);
      const winner = claims.find(({ outcome }) => outcome === "granted");
      expect(winner).toEqual({ outcome: "granted", run: await store.getRun(runId) });
    }
  });

  it("S22: an append of a worker never lands after another worker has claimed the run", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    const peers = await Promise.all(oneTo(3).map(() => startPeer(driver, file)));
    const appending: Promise<unknown>[] = [];
    const claims: number[] = [];
    while (claims.length < 20) {
      const [peer] = peers;
      if (peer === undefined) throw new Error("There is no peer.");
      peers.push(...peers.splice(0, 1));
      // A short lease, so that the next worker gets the run while this one appends.
      const claim = await peer.call("claim", { runId: "a", leaseMs: 1 });
      if (claim.outcome !== "granted") continue;
      const { fence } = claim.run;
      expect(fence).toBeGreaterThan(claims.at(-1) ?? 0);
      claims.push(fence);
      appending.push(peer.call("appendUnder", { runId: "a", fence }));
    }
    await store.append([endOf("a", { appender: { by: "owner" } })]);
    const ended = (await Promise.all(appending)) as readonly { readonly landed: number }[];
    const fences = (await readValues(store, "a")).slice(0, -1);
    expect(fences).toEqual(fences.toSorted((a, b) => Number(a) - Number(b)));
    expect(ended.map(({ landed }) => landed)).toEqual(
      claims.map((fence) => fences.filter((one) => one === fence).length),
    );
    const fence = (claims.at(-1) ?? 0) + 1;
    expect(await store.getRun("a")).toMatchObject({ fence, leaseExpiresAtMs: null });
  });

  it("S21: other stores see the lease in every answer, and it changes no time and notifies no subscription", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const { store: other } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    const { run: created } = (
      await store.read([{ runId: "a", ownerId: null, since: 0, limit: 1, maxBytes: 1 }])
    )[0] ?? { run: null };
    const onNotification = vi.fn();
    await store.subscribe("a", onNotification).ready;
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const nowMs = Date.now();
    const fence = nowMs * 1_000 + 1;
    const leased = { ...created, fence, leaseExpiresAtMs: nowMs + 1_000 };
    expect(await store.claim(claimOf("a", 1_000))).toEqual({ outcome: "granted", run: leased });
    expect(await other.getRun("a")).toEqual(leased);
    expect(
      await other.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 9 }),
    ).toEqual([leased]);
    expect(await other.claim(claimOf("a"))).toEqual({
      outcome: "claimed",
      leaseExpiresAtMs: nowMs + 1_000,
    });
    expect(await store.renew(renewOf("a", fence, 5_000))).toEqual({
      outcome: "granted",
      run: { ...leased, leaseExpiresAtMs: nowMs + 5_000 },
    });
    for (const _ of oneTo(2)) {
      expect(await store.release(releaseOf("a", fence))).toEqual({
        outcome: "granted",
        run: { ...leased, leaseExpiresAtMs: null },
      });
    }
    expect(await store.renew(renewOf("a", fence))).toEqual({ outcome: "fenced" });
    expect(onNotification).not.toHaveBeenCalled();
  });

  it("S23: many reapers end each run once, and skip runs that were claimed again", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const { store: other } = await openStore(driver, file);
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const runIds = oneTo(20).map((number) => `run-${number}`);
    for (const [at, runId] of runIds.entries()) {
      await store.createRun(createOf(runId));
      await store.claim(claimOf(runId, 1_000 - at));
    }
    expect(await store.listExpired({ graceMs: 0, limit: 100 })).toEqual([]);
    vi.setSystemTime(Date.now() + 11_000);
    const { fence } = await claimed(store, claimOf("run-20"));
    expect(await store.listExpired({ graceMs: 10_000, limit: 3 })).toEqual([
      "run-19",
      "run-18",
      "run-17",
    ]);
    const reap = async (reaper: typeof store): Promise<readonly string[]> => {
      const expired = await reaper.listExpired({ graceMs: 10_000, limit: 100 });
      const outcomes = await reaper.append(
        expired.map((runId) => endOf(runId, { appender: { by: "reaper", graceMs: 10_000 } })),
      );
      return expired.filter((_, at) => outcomes[at]?.outcome === "appended");
    };
    const reaped = (await Promise.all([reap(store), reap(other)])).flat();
    expect(reaped.toSorted()).toEqual(runIds.slice(0, 19).toSorted());
    expect(await store.listExpired({ graceMs: 0, limit: 100 })).toEqual([]);
    expect(await readLog(store, "run-1")).toHaveLength(1);
    expect(await store.getRun("run-20")).toMatchObject({ fence, runStatus: "queued" });
  });

  it("S22: a refused append leaves the lease as it was, and so does one under its fence", async () => {
    const { store } = await openStore(driver, temporaryFile());
    await store.createRun(createOf("a"));
    const { fence } = await claimed(store, claimOf("a"));
    const before = await store.getRun("a");
    const [fenced, landed] = await store.append([
      appendOf("a", 1),
      appendOf("a", 2, { appender: { by: "worker", fence } }),
    ]);
    expect([fenced?.outcome, landed?.outcome]).toEqual(["fenced", "appended"]);
    expect(await store.getRun("a")).toMatchObject({
      fence,
      leaseExpiresAtMs: before?.leaseExpiresAtMs,
    });
  });

  it("S12: an append that keeps the run's status writes to no index of the runs", async () => {
    const { db } = await openStore(driver, temporaryFile());
    let advance = "";
    prepareStatements(
      {
        exec: (sql) => db.exec(sql),
        prepare(sql) {
          if (/^UPDATE \S+ SET last_sequence/.test(sql)) advance = sql;
          return db.prepare(sql);
        },
      },
      tablesOf("run_events_"),
    );
    const steps = prepareStatement(db, `EXPLAIN ${advance}`).all(null, null, null) as readonly {
      readonly opcode: string;
    }[];
    expect(steps.filter(({ opcode }) => opcode === "OpenWrite")).toHaveLength(1);
  });
});
