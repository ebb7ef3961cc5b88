import type { AppendRequest } from "../src/rules/append.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { type Connections, createConnections } from "../src/store/connections.ts";
import { MemoryRows } from "../src/store/memory-rows.ts";
import { createPolledNotifications } from "../src/store/polled-notifications.ts";
import type { RowMoves } from "../src/store/row-moves.ts";
import { createRowStore } from "../src/store/row-store.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { appendRequest, newEvent } from "./run-record.ts";

/** The capabilities of the stores here. */
export const CAPABILITIES = {
  durability: "memory",
  shared: false,
  joinsTransaction: false,
  losesAcknowledgements: true,
  appendsAtOnce: 2,
  notifyWithinMs: 0,
} as const;

const MOVES = [
  "now",
  "selectHeads",
  "selectReceipts",
  "selectEvents",
  "selectOwned",
  "selectDue",
  "selectIdle",
  "insertRun",
  "insertEvents",
  "insertReceipts",
  "saveHeads",
  "deleteRuns",
  "writeProbe",
] as const satisfies readonly (keyof RowMoves)[];

/** The error that the server here answers for contention. */
export class Deadlock extends Error {}

/** The statements and moves of a server, and how they fail. */
interface Server {
  readonly log: string[];
  /** The arguments of the moves, by their order in the log. */
  readonly given: (readonly [move: string, ...values: readonly unknown[]])[];
  /** Called before each statement and move. If it throws, that error is the server's answer. */
  fault: (step: string) => void | Promise<void>;
}

/** A store on a server that answers later: the rows of one, with its steps recorded. */
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

/** An append with a key, into the run of `created`. */
export const APPEND: AppendRequest = appendRequest([newEvent("TOKEN")], { idempotencyKey: "k" });

/** The same with a run, and no step recorded yet. */
export async function created(): Promise<ReturnType<typeof openServerStore>> {
  const opened = openServerStore();
  await opened.store.createRun({ runId: "r", ownerId: "ada", metadata: "null" });
  opened.server.log.length = 0;
  return opened;
}
