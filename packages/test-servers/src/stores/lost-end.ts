import {
  createRunEvents,
  type RunEvent,
  type RunEvents,
  RunEventsError,
} from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { waitUntil } from "../wait-until.ts";
import { insist } from "./insist.ts";
import { LostList } from "./lost-list.ts";

/** A store whose logs will lose their ends, as by a failover to a lagging standby, or by a restored backup. */
export interface LosingStore {
  readonly store: RunEventStore;
  /** From now on, all that lands will be lost. */
  hold(): Promise<void>;
  /**
   * Loses it. A store that is to be closed before has been closed.
   * @returns the store with what is left, which may be the same one
   */
  lose(): Promise<RunEventStore>;
}

/** The number of events of a run that stay, and of further ones that are lost. */
const KEPT = 5;
const LOST = 5;
/** The number of events that others write after the loss: past the end that the readers had. */
const MORE = 15;

const MINE = { ownerId: "ada" };

/** The result of a reader that may go on: each event of the log as it is, up to the end. */
export const WHOLE = "the whole log, to its end";
export const CHANGED = "history_changed";

/** The expected results of each reader and worker of the play. The numbers are how many events a reader had. @see clause W46 in `WIRE.md` of `@tm/run-events-http` */
export const OWED: Readonly<Record<string, string>> = {
  "a live reader": CHANGED,
  "a live reader that has stopped before the loss": WHOLE,
  "a live reader of a run that has lost nothing": WHOLE,
  "a late reader with 0": WHOLE,
  "a late reader with 3": WHOLE,
  "a late reader with 5": WHOLE,
  "a late reader with 6": CHANGED,
  "a late reader with 10": CHANGED,
  "a late page after 5": `${MORE + 1} events`,
  "a late page after 6": CHANGED,
  "a late page after 10": CHANGED,
};

/** The same with a worker. */
export const OWED_WITH_WORKER: typeof OWED = { ...OWED, "a worker": CHANGED };

/**
 * Plays the loss of the ends of logs, under readers and a worker. Others have written past the old end before the late readers come.
 * @param hasWorker whether the program goes on, with a worker and the same store after the loss. Otherwise it is closed before
 * @returns what each of them got
 */
export async function playLostEnd(
  losing: LosingStore,
  { hasWorker }: { readonly hasWorker: boolean },
): Promise<Readonly<Record<string, string>>> {
  let runs = createRunEvents({ store: losing.store });
  const current = (): RunEvents => runs;
  for (const runId of ["losing", "same", "worked"]) {
    await runs.create({ ...MINE, runId });
    await write(runs, runId, KEPT, "kept");
  }
  const list = new LostList(current);
  await list.begin();
  const [live, slow, same] = [[], [], []] as readonly [RunEvent[], RunEvent[], RunEvent[]];
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const stopped = follow(current, "losing", slow, gate.promise);
  const unhurt = follow(current, "same", same);
  const work = hasWorker ? workOn(runs, held.promise, lost.promise) : null;
  await waitUntil("readers have what stays", async () => {
    return slow.length === KEPT && same.length === KEPT;
  });
  if (work !== null) await work.begun;
  await losing.hold();
  const ahead = follow(current, "losing", live);
  await write(runs, "losing", LOST, "lost");
  held.resolve();
  if (work !== null) await work.ahead;
  await waitUntil("a reader is ahead", async () => live.length === KEPT + LOST);
  const had = [...live];
  await list.isRight("with what is to be lost");
  // A backup is restored while no program runs.
  if (!hasWorker) await runs.close();
  const store = await losing.lose();
  if (store !== losing.store) runs = createRunEvents({ store });
  await write(runs, "losing", MORE, "others'");
  for (const runId of ["losing", "same"])
    await insist(() =>
      runs.append(runId, [{ eventType: "RUN_COMPLETED" }], { ...MINE, idempotencyKey: "end" }),
    );
  lost.resolve();
  const first = await ahead;
  gate.resolve();

  const results: Record<string, string> = {
    "a live reader": first,
    "a live reader that has stopped before the loss": await stopped,
    "a live reader of a run that has lost nothing": await unhurt,
  };
  for (const count of [0, 3, KEPT, KEPT + 1, KEPT + LOST])
    results[`a late reader with ${count}`] = await follow(current, "losing", had.slice(0, count));
  for (const count of [KEPT, KEPT + 1, KEPT + LOST]) {
    const at = had[count - 1]?.createdAt;
    const page = runs.read("losing", { ...MINE, since: count, at });
    results[`a late page after ${count}`] = await page.then(
      ({ events }) => `${events.length} events`,
      codeOf,
    );
  }
  await list.isRight("after the loss");
  list.end();
  if (work !== null) results["a worker"] = await work.outcome;
  await runs.close();
  return results;
}

/** Follows a run as a client does: it comes back after each failure that may pass, with the last event that it has. */
async function follow(
  current: () => RunEvents,
  runId: string,
  had: RunEvent[],
  gate: Promise<void> | null = null,
): Promise<string> {
  for (;;) {
    const last = had.at(-1);
    const place = last === undefined ? MINE : { ...MINE, since: last.sequence, at: last.createdAt };
    try {
      for await (const event of current().tail(runId, place)) {
        had.push(event);
        if (had.length === KEPT) await gate;
      }
      const { events } = await current().read(runId, MINE);
      return isDeepStrictEqual(had, events) ? WHOLE : "another log than there is";
    } catch (error) {
      if (codeOf(error) !== "store_unavailable") return codeOf(error);
      await setImmediate();
    }
  }
}

/** A worker that has a receipt for an event that is lost, and appends again. */
function workOn(
  runs: RunEvents,
  held: Promise<void>,
  lost: Promise<void>,
): {
  readonly begun: Promise<void>;
  readonly ahead: Promise<void>;
  readonly outcome: Promise<string>;
} {
  const begun = Promise.withResolvers<void>();
  const ahead = Promise.withResolvers<void>();
  const working = runs.work("worked", { ...MINE, leaseMs: 3_600_000 }, async (run) => {
    begun.resolve();
    await held;
    for (const payload of ["lost", "too"]) await run.append([{ eventType: "NOTE", payload }]);
    ahead.resolve();
    await lost;
    const idempotencyKey = crypto.randomUUID();
    await insist(() => run.append([{ eventType: "NOTE" }], { idempotencyKey }));
  });
  return {
    begun: begun.promise,
    ahead: ahead.promise,
    outcome: working.then(() => "nothing", codeOf),
  };
}

async function write(runs: RunEvents, runId: string, count: number, text: string): Promise<void> {
  for (let at = 0; at < count; at++) {
    const idempotencyKey = crypto.randomUUID();
    const events = [{ eventType: "NOTE", payload: `${text} ${at}` }];
    await insist(() => runs.append(runId, events, { ...MINE, idempotencyKey }));
  }
}

function codeOf(error: unknown): string {
  if (error instanceof RunEventsError) return error.code;
  throw error;
}
