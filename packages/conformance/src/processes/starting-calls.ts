import { isTerminal } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import { appendRequest } from "../append-request.ts";
import { BrokenClause } from "../assert.ts";
import { namedEvent } from "../history/named-event.ts";
import type { RecordedClient } from "../history/recorder.ts";
import { BY_OWNER, LONG_MS, SHORT_MS, under } from "../lease.ts";
import { type KitStore, OWNER } from "../kit-store.ts";

/** After this many calls it looks at the live runs of a topic. */
const LOOK_EVERY = 4;
/** After this many refusals in a row the owner ends the run that has the place: if its process is dead, no other process ends it. */
const PATIENT_REFUSALS = 6;

/** Who starts runs of which topics. */
interface StartingOptions {
  readonly client: RecordedClient;
  readonly store: KitStore;
  /** The prefix of the names of its runs and events; no other load has it. */
  readonly name: string;
  /** The topics whose places all processes want. */
  readonly topics: readonly string[];
}

/** The next step with a run: to write to it or end it, or to free the place that it has. */
type Next =
  | { readonly what: "write" | "complete"; readonly runId: string; readonly fence: number }
  | { readonly what: "free"; readonly runId: string };

/** The key of the claim in a run's creation. A creation that is sent again has the same key. */
export function startKeyOf(runId: string): string {
  return `start of ${runId}`;
}

/**
 * The calls of a worker that starts exclusive runs under short and long leases, writes to each and ends it. It first starts two
 * runs of topics of its own, which it leaves live: one under a long lease and one under a lease of the shortest time. It never
 * releases a lease. So if a live run has no lease, it was created without one.
 */
export function createStartingCalls({
  client,
  store,
  name,
  topics,
}: StartingOptions): (count: number) => Promise<void> {
  let next: Next | null = null;
  let refusals = 0;

  async function start(count: number, topic: string): Promise<void> {
    const runId = `${name}.${count}`;
    const leaseMs = count % 2 === 0 ? SHORT_MS : LONG_MS;
    const { fence, holder } = await client.start(runId, topic, leaseMs, startKeyOf(runId));
    if (fence !== null) next = { what: "write", runId, fence };
    refusals = holder === null ? 0 : refusals + 1;
    if (holder !== null && (await isLive(store, holder))) next = { what: "free", runId: holder };
  }

  async function goOn(one: Next, id: string): Promise<void> {
    const { what, runId } = one;
    next = null;
    if (what === "free") {
      const isPatient = refusals < PATIENT_REFUSALS;
      const end = namedEvent(isPatient ? "RUN_FAILED" : "RUN_CANCELLED", id);
      await client.append([appendRequest(runId, [end], BY_OWNER)]);
      return;
    }
    const event = namedEvent(what === "write" ? "TOKEN" : "RUN_COMPLETED", id);
    await client.append([appendRequest(runId, [event], under(one))]);
    if (what === "write") next = { ...one, what: "complete" };
  }

  return async (count) => {
    const topic = topics[count % topics.length] ?? "";
    if (count <= 2) {
      await start(count, `${name} ${count}`);
      next = null;
    } else if (count % LOOK_EVERY === 0) await checkLeases(store, topic);
    else if (next === null) await start(count, topic);
    else await goOn(next, `${name}.${count}`);
  };
}

/**
 * Whether the run that a refused creation named is live.
 * @throws BrokenClause if there is no such run
 */
async function isLive(store: KitStore, holder: string): Promise<boolean> {
  const run = await store.getRun(holder);
  if (run === null) {
    const why = `a creation was refused for ${holder}, and there is no such run`;
    throw new BrokenClause("S21", why);
  }
  return !isTerminal(run.runStatus);
}

/**
 * Checks that a live run which was created with a lease has one.
 * @throws BrokenClause if it has none
 */
export function requireLease({ runId, leaseExpiresAtMs }: RunRecord): void {
  if (leaseExpiresAtMs !== null) return;
  throw new BrokenClause("S21", `${runId} was seen without the lease that it was created with`);
}

async function checkLeases(store: KitStore, topic: string): Promise<void> {
  const query = { ownerId: OWNER, runStatus: "live", topic, before: null, limit: 100 } as const;
  for (const run of await store.listRuns(query)) requireLease(run);
}
