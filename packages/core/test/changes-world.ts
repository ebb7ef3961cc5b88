import { createMemoryStore, createRunEvents } from "../src/index.ts";
import type { RunChanges } from "../src/rules/run-values.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** Turns in which everything that is ready happens. */
const TURNS = 20;

/** Waits until everything that is ready has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
}

/** An API over a memory store that counts and fails. */
export interface World {
  readonly runs: ReturnType<typeof createRunEvents>;
  readonly clock: FakeClock;
  /** How many subscriptions are open, by their names. */
  readonly open: Map<string, number>;
  readonly calls: { listChanged: number; read: number };
  readonly faults: { isSilent: boolean; failure: Error | null };
}

/** A new one. */
export function world(): World {
  const memory = createMemoryStore();
  const clock = createFakeClock();
  const open = new Map<string, number>();
  const calls = { listChanged: 0, read: 0 };
  const faults: World["faults"] = { isSilent: false, failure: null };
  const store: RunEventStore = {
    ...memory,
    async listChanged(query) {
      calls.listChanged += 1;
      if (faults.failure !== null) throw faults.failure;
      return memory.listChanged(query);
    },
    read(queries) {
      calls.read += queries.length;
      return memory.read(queries);
    },
    subscribe(name, onNotification) {
      open.set(name, (open.get(name) ?? 0) + 1);
      const subscription = memory.subscribe(name, () => {
        if (!faults.isSilent) onNotification();
      });
      return {
        ready: subscription.ready,
        stop() {
          open.set(name, (open.get(name) ?? 0) - 1);
          subscription.stop();
        },
      };
    },
  };
  return { runs: createRunEvents({ store, clock }), clock, open, calls, faults };
}

/** A reader that takes all changes, one after the other. */
export function reader(
  runs: World["runs"],
  more: Partial<Parameters<World["runs"]["changes"]>[0]> = {},
): { readonly taken: RunChanges[]; readonly ended: Promise<void> } {
  const taken: RunChanges[] = [];
  const ended = (async () => {
    for await (const changes of runs.changes({ ownerId: "ada", ...more })) taken.push(changes);
  })();
  ended.catch(() => {});
  return { taken, ended };
}

/** What a reader has got since the last call: runs as `id status sequence`, and `-id` for those that are gone. */
export function news(taken: RunChanges[]): readonly string[] {
  return taken
    .splice(0)
    .flatMap(({ runs, gone }) => [
      ...runs.map(({ run }) => `${run.runId} ${run.runStatus} ${run.lastSequence}`),
      ...gone.map((runId) => `-${runId}`),
    ]);
}
