import type { RunEventStore } from "@tm/run-events-core/store";
import { kitStore } from "../../../conformance/src/kit-store.ts";
import { createDraws } from "../../../conformance/src/processes/draws.ts";
import { amidCalls } from "../../../conformance/src/processes/load.ts";
import { playCrash } from "../../../conformance/src/processes/play-crash.ts";
import type { Worker } from "../../../conformance/src/processes/start-worker.ts";
import { DIALOGUES } from "../../../conformance/src/races/themes.ts";

/** The number of clients that make calls at once. */
const CLIENTS = 6;

/** The servers that fail over. */
export interface Failover {
  /** Opens a store over connections of its own. What it acknowledges has to outlive processes; the caller closes it. */
  open(): Promise<RunEventStore>;
  /** Fails over while calls are under way. Resolves when the servers take calls again. */
  fail(): Promise<void>;
}

/**
 * Plays the kit's crash of a server: clients claim runs, append to them under their fences and read, the servers fail over, calls under a key
 * are made again, and the clients and a new one go on. The kit's model has to explain every answer.
 * @throws Error with the clause, the calls that no order explains, and the seed
 */
export async function playFailover({ open, fail }: Failover): Promise<void> {
  let count = 0;
  async function start(): Promise<Worker> {
    const name = String((count += 1));
    return { name, store: kitStore(await open()), async kill() {} };
  }
  const [seed = 0] = crypto.getRandomValues(new Int32Array(1));
  const crew = {
    start,
    async startAll() {
      const others = Array.from({ length: CLIENTS - 1 }, start);
      return [await start(), ...(await Promise.all(others))] as const;
    },
  };
  const crash = {
    async strike(loads: Parameters<typeof amidCalls>[0], draws: Parameters<typeof amidCalls>[1]) {
      await amidCalls(loads, draws);
      await fail();
      return loads;
    },
    isOfServer: true,
  };
  await playCrash({ crew, draws: createDraws(seed) }, crash, "S5", DIALOGUES).catch(
    (cause: unknown) => {
      throw new Error(`Seed ${seed}: ${String(cause)}`, { cause });
    },
  );
}
