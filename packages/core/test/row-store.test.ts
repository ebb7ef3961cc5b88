import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { type Connections, createConnections } from "../src/store/connections.ts";
import { MemoryRows } from "../src/store/memory-rows.ts";
import { createPolledNotifications } from "../src/store/polled-notifications.ts";
import { type RowMoves, workNow } from "../src/store/row-moves.ts";
import { createRowStore } from "../src/store/row-store.ts";
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

/** What a server is asked, and how its statements and moves fail. */
interface Server {
  readonly log: string[];
  /** What the moves were given, by their order in the log. */
  readonly given: (readonly [move: string, ...values: readonly unknown[]])[];
  /** Called before each statement and move; what it throws is the server's answer. */
  fault: (step: string) => void | Promise<void>;
}

/** A store on a server that answers later: the rows of one, with its steps written down. */
function openServerStore(): {
  readonly store: RunEventStore;
  readonly server: Server;
  readonly connections: Connections<object>;
} {
  const server: Server = { log: [], given: [], fault: () => {} };
  const rows = new MemoryRows(() => 5_000);
  async function step(name: string): Promise<void> {
    server.log.push(name);
    await server.fault(name);
  }
  const moves = Object.fromEntries(
    MOVES.map((name) => [
      name,
      async (...values: readonly unknown[]): Promise<unknown> => {
        server.given.push([name, ...values]);
        await step(name);
        return Reflect.apply(rows[name], rows, values);
      },
    ]),
  ) as unknown as RowMoves;
  const connections = createConnections<object>({
    connect: async () => (await step("connect"), {}),
    release: (_, isBroken) => void server.log.push(isBroken ? "close" : "release"),
    run: (_, statement) => step(statement),
    begin: { write: ["BEGIN write"], snapshot: ["SET snapshot", "BEGIN snapshot"] },
    rowsOn: () => moves,
    isContention: (error) => error instanceof Deadlock,
    failureOf: (cause) => new RunEventsError("store_unavailable", "The server failed.", { cause }),
  });
  const store = createRowStore({
    capabilities: CAPABILITIES,
    transact: connections.transact,
    notifications: createPolledNotifications({ selectPositions: null, pollMs: 10 }),
  });
  return { store, server, connections };
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
      "connect",
      "BEGIN write",
      "selectHeads",
      "now",
      "selectReceipts",
      "insertEvents",
      "insertReceipts",
      "saveHeads",
      "COMMIT",
      "release",
    ]);
  });

  it("S21: a claim, a renewal and a release lock, read the clock and save", async () => {
    const { store, server } = await created();
    const claim = await store.claim({ runId: "r", ownerId: null, leaseMs: 1_000 });
    if (claim.outcome !== "granted") throw new Error("Expected the claim to be granted.");
    const { fence } = claim.run;
    await store.renew({ runId: "r", ownerId: null, leaseMs: 1_000, fence });
    await store.release({ runId: "r", ownerId: null, fence });
    const moves = ["selectHeads", "now", "saveHeads"];
    const one = ["connect", "BEGIN write", ...moves, "COMMIT", "release"];
    expect(server.log).toEqual([...one, ...one, ...one]);
  });

  it("S12: an idle read asks for heads alone, and a refused append writes nothing", async () => {
    const { store, server } = await created();
    await store.append([APPEND]);
    server.log.length = 0;
    await store.read([{ runId: "r", ownerId: null, since: 1, limit: 9, maxBytes: 9 }]);
    expect(server.log).toEqual([
      "connect",
      "SET snapshot",
      "BEGIN snapshot",
      "selectHeads",
      "COMMIT",
      "release",
    ]);
    server.log.length = 0;
    await store.append([appendRequest([newEvent("TOKEN")], { expectedSequence: 9 })]);
    expect(server.log).toEqual([
      "connect",
      "BEGIN write",
      "selectHeads",
      "now",
      "COMMIT",
      "release",
    ]);
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
    server.fault = (step) => (step === "COMMIT" ? held.promise : undefined);
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

  it("S20: what is done outside of a transaction sends no BEGIN; if it fails its connection is closed, and a RunEventsError stays as it is", async () => {
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
      expect(outcome.outcome).toBe(failing === "COMMIT" ? "claimed" : "granted");
      expect(server.log.filter((step) => step === "BEGIN write")).toHaveLength(4);
    },
  );

  it("S20: gives up after 10 s of contention, with the driver's error as the cause", async () => {
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
