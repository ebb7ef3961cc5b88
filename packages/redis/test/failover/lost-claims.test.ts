import { runsOf } from "../ruled-store.ts";
import { describe, expect, it } from "vitest";
import { connect, openStore } from "../opened.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { lead, openReplicated } from "./lagging-replica.ts";

const FENCED = { outcome: "fenced" };
const MINUTE_MS = 60_000;

describe("a claim that a failover loses", () => {
  it("W31: a lost claim does not give its fence to a second worker, and all later calls of the first are fenced", async () => {
    const { master, replica, name, catchUp, lag } = await openReplicated();
    const { store } = await openStore(name);
    const { store: other } = await openStore(name);
    await store.createRun(createOf("a"));
    // An earlier claim, which both servers have.
    const known = await claimed(store, claimOf("a"));
    await store.release(known);
    await catchUp();
    lag();
    const lost = await claimed(store, claimOf("a"));
    await store.append([appendOf("a", "lost", { appender: { by: "worker", fence: lost.fence } })]);
    await master.kill();
    await connect(replica).replicaof("NO", "ONE");
    lead(name, replica);
    expect(await other.getRun("a")).toMatchObject({ fence: known.fence, leaseExpiresAtMs: null });
    const held = await claimed(other, claimOf("a"));
    const mine = { appender: { by: "worker", fence: held.fence } } as const;
    for (const { fence } of [known, lost]) {
      const stale = { by: "worker", fence } as const;
      expect(await store.append([appendOf("a", "late", { appender: stale })])).toEqual([FENCED]);
      const lease = { runId: "a", fence };
      expect(await store.renew({ ...lease, leaseMs: MINUTE_MS })).toEqual(FENCED);
      expect(await store.release(lease)).toEqual(FENCED);
    }
    await other.append([appendOf("a", "kept", mine)]);
    const { fence, leaseExpiresAtMs } = held;
    expect(await other.getRun("a")).toMatchObject({ fence, leaseExpiresAtMs, lastSequence: 1 });
    expect(await readValues(other, "a")).toEqual(["kept"]);
  });

  it("W31: a lost claim ends the work of the first worker as fenced, and the second works alone", async () => {
    const { master, replica, name, catchUp, lag } = await openReplicated();
    const { store } = await openStore(name);
    const { store: other } = await openStore(name);
    const [first, second] = [runsOf(store), runsOf(other)];
    await first.create({ runId: "a" });
    await catchUp();
    lag();
    const lease = { leaseMs: MINUTE_MS };
    const failures: unknown[] = [];
    const work = first.work("a", lease, async (run) => {
      await master.kill();
      await connect(replica).replicaof("NO", "ONE");
      lead(name, replica);
      await second.work("a", lease, async (its) => {
        await run.append([{ eventType: "LOG_LINE", payload: "late" }]).catch((error: unknown) => {
          failures.push(error, run.signal.reason);
        });
        await its.append([{ eventType: "LOG_LINE", payload: "kept" }]);
      });
    });
    const fenced = { code: "fenced" };
    const outcome = await work.catch((error: unknown) => error);
    expect(await readValues(other, "a")).toEqual(["kept", null]);
    expect([outcome, ...failures]).toMatchObject([fenced, fenced, fenced]);
  });
});
