import type { KitStore } from "../kit-store.ts";
import { appendRequest } from "../append-request.ts";
import { namedEvent } from "../history/named-event.ts";
import type { RecordedClient } from "../history/recorder.ts";
import { BY_OWNER, dueRuns, LONG_MS, SHORT_MS, under } from "../lease.ts";
import { startKeyOf } from "./starting-calls.ts";

/** The statuses that a run without an end may have. */
export const LIVE = ["queued", "running", "waiting"] as const;
/** What brings a new run to its status. */
const FIRST_EVENT = { queued: null, running: "TOKEN", waiting: "INPUT_REQUESTED" } as const;
/** Every this many creations have a long lease: no other process may touch such a run. */
const LONG_EVERY = 4;
/** With this many runs that are due it starts no more. */
const BACKLOG = 20;

/** What the upkeep works with. */
interface UpkeepOptions {
  readonly client: RecordedClient;
  readonly store: KitStore;
  /** The prefix of the names of its runs and events; no other load has it. */
  readonly name: string;
}

/** A run that it has just started or claimed. */
interface Held {
  readonly runId: string;
  readonly fence: number;
  /** The event that it is still to write; `null` for none. */
  readonly first: string | null;
}

/** Ends a run as the upkeep does, once, also if the call is sent again. @returns whether it has ended then */
export async function endRun(client: RecordedClient, runId: string, id: string): Promise<boolean> {
  const end = appendRequest(runId, [namedEvent("RUN_FAILED", id)], {
    ...BY_OWNER,
    idempotencyKey: id,
  });
  return (await client.append([end])).has(runId);
}

/**
 * The calls of a process that starts runs, which it then leaves alone in all statuses, and does the upkeep of all such runs: it ends one
 * whose lease is over, or claims it and gives it back, and ends one that is idle then. Each looks before it acts, so others have acted
 * meanwhile, or die in between.
 */
export function createUpkeepCalls({
  client,
  store,
  name,
}: UpkeepOptions): (count: number) => Promise<void> {
  let started = 0;
  let sweeps = 0;
  let held: Held | null = null;

  async function start(id: string): Promise<void> {
    held = null;
    const due = await dueRuns(store, "leased");
    if (due.length >= BACKLOG) return reap(id);
    const runStatus = LIVE[started % LIVE.length] ?? "queued";
    const leaseMs = started % LONG_EVERY === LONG_EVERY - 1 ? LONG_MS : SHORT_MS;
    started += 1;
    const { fence } = await client.start(id, `topic of ${id}`, leaseMs, startKeyOf(id));
    held = fence === null ? null : { runId: id, fence, first: FIRST_EVENT[runStatus] };
  }

  async function write(id: string): Promise<void> {
    if (!held?.first) return;
    const { runId, first } = held;
    await client.append([appendRequest(runId, [namedEvent(first, id)], under(held))]);
  }

  async function take(): Promise<void> {
    const [runId] = await dueRuns(store, "leased");
    const fence = runId === undefined ? null : await client.lease(runId, "claim", null, SHORT_MS);
    held = runId === undefined || fence === null ? null : { runId, fence, first: null };
  }

  async function giveBack(): Promise<void> {
    if (held !== null) await client.lease(held.runId, "release", held.fence, 0);
  }

  async function reap(id: string): Promise<void> {
    const [runId] = await dueRuns(store, "leased");
    if (runId !== undefined) await endRun(client, runId, id);
  }

  async function sweep(id: string): Promise<void> {
    const runStatus = LIVE[(sweeps += 1) % LIVE.length] ?? "queued";
    const [runId] = await dueRuns(store, runStatus);
    if (runId !== undefined) await endRun(client, runId, id);
  }

  /** More runs are started than ended, so that a crash leaves some of each kind. */
  const round = [start, write, start, write, take, giveBack, reap, start, write, sweep];
  return async (count) => round[(count - 1) % round.length]?.(`${name}.${count}`);
}
