import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { MemoryRows } from "../src/store/memory-rows.ts";
import { createPolledNotifications } from "../src/store/polled-notifications.ts";
import { type RowMoves, type TransactionMode, workNow } from "../src/store/row-moves.ts";
import { createRowStore } from "../src/store/row-store.ts";
import { createTransact, type OpenTransaction } from "../src/store/server-transactions.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createFakeClock } from "./fake-clock.ts";
import { appendRequest, newEvent } from "./run-record.ts";

const CAPABILITIES = {
  durability: "memory",
  shared: false,
  joinsTransaction: false,
  losesAcknowledgements: true,
  appendsAtOnce: 2,
  wakeDeadlineMs: 0,
} as const;

const MOVES = [
  "now",
  "selectHeads",
  "selectReceipts",
  "selectEvents",
  "selectPhase",
  "selectOwned",
  "selectDue",
  "insertRun",
  "insertEvents",
  "insertReceipts",
  "saveHeads",
  "deleteRuns",
  "writeProbe",
] as const satisfies readonly (keyof RowMoves)[];

class Deadlock extends Error {}

/** What a server is asked, and how its commits and moves fail. */
interface Server {
  readonly log: string[];
  /** Called before each move and commit; what it throws is the server's answer. */
  fault: (step: string) => void | Promise<void>;
}

/** A store on a server that answers later: the rows of one, with its steps written down. */
function openServerStore(): { readonly store: RunEventStore; readonly server: Server } {
  const server: Server = { log: [], fault: () => {} };
  const rows = new MemoryRows(() => 5_000);
  async function step(name: string): Promise<void> {
    server.log.push(name);
    await server.fault(name);
  }
  function begin(mode: TransactionMode): OpenTransaction {
    server.log.push(`begin ${mode}`);
    const moves = Object.fromEntries(
      MOVES.map((name) => [
        name,
        async (...values: readonly unknown[]): Promise<unknown> => {
          await step(name);
          return Reflect.apply(rows[name], rows, values);
        },
      ]),
    ) as unknown as RowMoves;
    return { ...moves, commit: () => step("commit"), rollback: () => step("rollback") };
  }
  const store = createRowStore({
    capabilities: CAPABILITIES,
    transact: createTransact({
      begin: async (mode) => begin(mode),
      isContention: (error) => error instanceof Deadlock,
      failureOf: (cause) =>
        cause instanceof RunEventsError
          ? cause
          : new RunEventsError("store_unavailable", "The server failed.", { cause }),
    }),
    notifications: createPolledNotifications({ selectPositions: null, pollMs: 10 }),
  });
  return { store, server };
}

const APPEND = appendRequest([newEvent("TOKEN")], { idempotencyKey: "k" });

async function created(): Promise<ReturnType<typeof openServerStore>> {
  const opened = openServerStore();
  await opened.store.createRun({ runId: "r", ownerId: "ada", metadata: "null" });
  opened.server.log.length = 0;
  return opened;
}

describe("createRowStore", () => {
  it("S3: an append locks, reads the clock, asks for keys, writes and commits, in this order", async () => {
    const { store, server } = await created();
    await store.append([APPEND]);
    expect(server.log).toEqual([
      "begin write",
      "selectHeads",
      "now",
      "selectReceipts",
      "insertEvents",
      "insertReceipts",
      "saveHeads",
      "commit",
    ]);
  });

  it("S21: a claim, a renewal and a release lock, read the clock and save", async () => {
    const { store, server } = await created();
    const claim = await store.claim({ runId: "r", ownerId: null, leaseMs: 1_000 });
    if (claim.outcome !== "granted") throw new Error("Expected the claim to be granted.");
    const { fence } = claim.run;
    await store.renew({ runId: "r", ownerId: null, leaseMs: 1_000, fence });
    await store.release({ runId: "r", ownerId: null, fence });
    const one = ["begin write", "selectHeads", "now", "saveHeads", "commit"];
    expect(server.log).toEqual([...one, ...one, ...one]);
  });

  it("S12: an idle read asks for heads alone, and a refused append writes nothing", async () => {
    const { store, server } = await created();
    await store.append([APPEND]);
    server.log.length = 0;
    await store.read([{ runId: "r", ownerId: null, since: 1, limit: 9, maxBytes: 9 }]);
    expect(server.log).toEqual(["begin snapshot", "selectHeads", "commit"]);
    server.log.length = 0;
    await store.append([appendRequest([newEvent("TOKEN")], { expectedSequence: 9 })]);
    expect(server.log).toEqual(["begin write", "selectHeads", "now", "commit"]);
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

  it("S18: after `close` every call is refused, and `close` waits for those under way", async () => {
    const { store, server } = await created();
    const held = Promise.withResolvers<void>();
    server.fault = (step) => (step === "commit" ? held.promise : undefined);
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

describe("createTransact", () => {
  it.each(["selectHeads", "insertEvents", "commit"])(
    "S7, S20: when %s fails, the append is in doubt exactly if that is the commit",
    async (failing) => {
      const { store, server } = await created();
      const cause = new Error("cut off");
      server.fault = (step) => {
        if (step === failing) throw cause;
      };
      await expect(store.append([APPEND])).rejects.toMatchObject({
        code: "store_unavailable",
        ambiguous: failing === "commit",
        cause,
      });
      expect(server.log.at(-1)).toBe(failing === "commit" ? "commit" : "rollback");
    },
  );

  it("S20: a read whose commit fails is not ambiguous", async () => {
    const { store, server } = await created();
    server.fault = (step) => {
      if (step === "commit") throw new Error("cut off");
    };
    await expect(store.getRun("r")).rejects.toMatchObject({ ambiguous: false });
  });

  it.each(["selectHeads", "saveHeads", "commit"])(
    "S4: one that met others at %s is tried again and lands once",
    async (failing) => {
      const { store, server } = await created();
      let met = 0;
      server.fault = (step) => {
        if (step !== failing || met === 3) return;
        met += 1;
        throw new Deadlock();
      };
      // A server's rollback takes writes back; these rows keep them, so only what comes before the first write is tried here.
      const outcome = await store.claim({ runId: "r", ownerId: null, leaseMs: 1_000 });
      expect(met).toBe(3);
      expect(outcome.outcome).toBe(failing === "commit" ? "claimed" : "granted");
      expect(server.log.filter((step) => step === "begin write")).toHaveLength(4);
    },
  );

  it("S20: gives up after 10 s of contention, with the driver's error as the cause", async () => {
    const clock = createFakeClock();
    const cause = new Deadlock();
    let tries = 0;
    const transact = createTransact({
      async begin() {
        tries += 1;
        clock.skip(6_000);
        throw cause;
      },
      isContention: (error) => error instanceof Deadlock,
      failureOf: (error) =>
        new RunEventsError("store_unavailable", "Met others.", { cause: error }),
      clock: { ...clock, every: (_ms, task) => (queueMicrotask(task), () => {}) },
    });
    await expect(transact("write", () => 1)).rejects.toMatchObject({ cause, ambiguous: false });
    expect(tries).toBe(2);
  });
});
