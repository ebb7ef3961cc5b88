import { RunEventsError } from "@tm/run-events-core";
import {
  createConnections,
  createPolledNotifications,
  createRowStore,
} from "@tm/run-events-core/store";
import { rowsOn, selectPositions } from "./rows.mjs";
import { migrate, verify } from "./schema.mjs";

const POLL_MS = 50;
/** How long a poll and its answer may take, in milliseconds. */
const GRACE_MS = 950;

/** `serialization_failure` and `deadlock_detected`. */
const CONTENTION = new Set(["40001", "40P01"]);

/** Opens a store on a pool of pg. */
export async function openSqlStore(pool) {
  const { transact, perform } = createConnections({
    connect: () => pool.connect(),
    release: (client, isBroken) => client.release(isBroken),
    run: (client, statement) => client.query(statement),
    begin: {
      write: ["BEGIN ISOLATION LEVEL READ COMMITTED"],
      snapshot: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
    },
    rowsOn,
    isContention: (error) => CONTENTION.has(error?.code),
    failureOf,
  });
  const store = createRowStore({
    capabilities: {
      durability: await perform(durabilityOf),
      shared: true,
      joinsTransaction: false,
      losesAcknowledgements: true,
      appendsAtOnce: 2,
      notifyWithinMs: POLL_MS + GRACE_MS,
    },
    transact,
    notifications: createPolledNotifications({
      selectPositions: (runIds) => perform((client) => selectPositions(client, runIds)),
      pollMs: POLL_MS,
    }),
  });
  return { ...store, migrate: () => perform(migrate), verify: () => perform(verify) };
}

function failureOf(cause) {
  // It may quote a row, and so a payload, which is not for a log.
  if (cause instanceof Error) cause.detail = undefined;
  return new RunEventsError("store_unavailable", "The database failed.", { cause });
}

/** What an acknowledged commit survives, by the server's settings. */
async function durabilityOf(client) {
  const { rows } = await client.query(
    "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits",
  );
  if (rows[0].commits === "off") return "unknown";
  return rows[0].fsync === "on" ? "power" : "process";
}
