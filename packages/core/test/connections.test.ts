import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createConnections } from "../src/store/connections.ts";
import { MemoryRows } from "../src/store/memory-rows.ts";
import { createFakeClock } from "./fake-clock.ts";
import { APPEND, created, Deadlock } from "./server-store.ts";

describe("createConnections", () => {
  it.each(["selectHeads", "insertEvents", "COMMIT"])(
    "S7, S20: when %s fails, the append is in doubt exactly if that is the commit",
    async (failing) => {
      const { store, server } = await created();
      const cause = new Error("cut off");
      server.fault = (step) => {
        if (step === failing) throw cause;
      };
      await expect(store.append([APPEND])).rejects.toMatchObject({
        code: "store_unavailable",
        ambiguous: failing === "COMMIT",
        cause,
      });
      expect(server.log.slice(-2)).toEqual(
        failing === "COMMIT" ? ["COMMIT", "close"] : ["ROLLBACK", "release"],
      );
    },
  );

  it("S20: a read whose commit fails is not ambiguous", async () => {
    const { store, server } = await created();
    server.fault = (step) => {
      if (step === "COMMIT") throw new Error("cut off");
    };
    const query = { runId: "r", ownerId: null, since: 0, limit: 9, maxBytes: 9 };
    await expect(store.read([query])).rejects.toMatchObject({ ambiguous: false });
  });

  it("S20: a connection that may be broken is closed, any other is released, each once, and the first error is thrown", async () => {
    const { store, server } = await created();
    const closing = [["BEGIN write"], ["now", "ROLLBACK"], ["COMMIT"]];
    for (const failing of [...closing, ["connect"], ["now"], []]) {
      server.log.length = 0;
      server.fault = (step) => {
        if (failing.includes(step)) throw new Error(step);
      };
      const claim = store.claim({ runId: "r", ownerId: null, leaseMs: 1_000 });
      if (failing.length === 0) await claim;
      else await expect(claim).rejects.toMatchObject({ cause: { message: failing[0] } });
      const ended = server.log.filter((step) => step === "close" || step === "release");
      const isOpened = failing[0] !== "connect";
      expect(ended).toEqual(isOpened ? [closing.includes(failing) ? "close" : "release"] : []);
    }
  });

  it("S20: work outside of a transaction sends no BEGIN; if it fails, its connection is closed, and a RunEventsError stays as it is", async () => {
    const { store, server, connections } = await created();
    await store.getRun("r");
    expect(await connections.perform(async () => 7)).toBe(7);
    expect(server.log).toEqual(["connect", "selectHeads", "release", "connect", "release"]);
    server.log.length = 0;
    const refusal = new RunEventsError("store_unavailable", "Newer.", { retryable: false });
    await expect(connections.perform(() => Promise.reject(refusal))).rejects.toBe(refusal);
    const cause = new Error("cut off");
    await expect(connections.perform(() => Promise.reject(cause))).rejects.toMatchObject({
      code: "store_unavailable",
      cause,
    });
    server.fault = (step) => {
      if (step === "selectHeads") throw cause;
    };
    await expect(store.getRun("r")).rejects.toMatchObject({ cause });
    expect(server.log.filter((step) => step === "close")).toHaveLength(3);
  });

  it.each(["selectHeads", "saveHeads", "COMMIT"])(
    "S4: a transaction that met others at %s is tried again and lands once",
    async (failing) => {
      const { store, server } = await created();
      let met = 0;
      server.fault = (step) => {
        if (step !== failing || met === 3) return;
        met += 1;
        throw new Deadlock();
      };
      // A server's rollback undoes writes, but these rows keep them. So only moves before the first write are tried here.
      const outcome = await store.claim({ runId: "r", ownerId: null, leaseMs: 1_000 });
      expect(met).toBe(3);
      expect(outcome.outcome).toBe(failing === "COMMIT" ? "claimed" : "granted");
      expect(server.log.filter((step) => step === "BEGIN write")).toHaveLength(4);
    },
  );

  it("S20: transact gives up after 10 s of contention, with the driver's error as the cause", async () => {
    const clock = createFakeClock();
    const cause = new Deadlock();
    let tries = 0;
    const { transact } = createConnections<null>({
      async connect() {
        tries += 1;
        clock.skip(6_000);
        throw cause;
      },
      release: () => {},
      run: async () => {},
      begin: { write: [], snapshot: [] },
      rowsOn: () => new MemoryRows(() => 0),
      isContention: (error) => error instanceof Deadlock,
      failureOf: (error) =>
        new RunEventsError("store_unavailable", "Met others.", { cause: error }),
      clock: { ...clock, every: (_ms, task) => (queueMicrotask(task), () => {}) },
    });
    await expect(transact("write", () => 1)).rejects.toMatchObject({ cause, ambiguous: false });
    expect(tries).toBe(2);
  });
});
