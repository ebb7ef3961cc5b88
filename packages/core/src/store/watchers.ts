import { afterThis } from "../time/clock.ts";

/** The watches of one process, by run. */
export interface Watchers {
  /** The runs that have watches. */
  runIds(): IterableIterator<string>;
  /** Whether the run has watches. */
  has(runId: string): boolean;
  /** Adds a watch. The returned function stops it, and may be called twice. */
  add(runId: string, wake: () => void): () => void;
  /** Wakes all watches of the run after the current synchronous work. Calls until then merge into one. */
  ring(runId: string): void;
  ringAll(): void;
  /** Stops all watches. */
  clear(): void;
}

interface Bell {
  wake: () => void;
}

/**
 * Keeps the watches of an adapter. They are woken in a microtask, so that no reader acts inside an append that has not answered yet.
 * A watch that was stopped meanwhile is not woken.
 * @see S13, S14
 */
export function createWatchers(): Watchers {
  // Arrays and not sets: they take less memory, and a run mostly has one watch.
  const bells = new Map<string, readonly Bell[]>();
  const ringing = new Set<string>();

  function ring(runId: string): void {
    if (!bells.has(runId)) return;
    if (ringing.size === 0) afterThis(wakeAll);
    ringing.add(runId);
  }

  function wakeAll(): void {
    const runIds = [...ringing];
    ringing.clear();
    for (const runId of runIds) {
      // The array of this moment: a watch that another watch's wake stops is not woken, and one that it adds is not woken either.
      for (const bell of bells.get(runId) ?? []) bell.wake();
    }
  }

  function remove(runId: string, bell: Bell): void {
    bell.wake = silent;
    const left = bells.get(runId)?.filter((other) => other !== bell) ?? [];
    if (left.length === 0) bells.delete(runId);
    else bells.set(runId, left);
  }

  return {
    runIds: () => bells.keys(),
    has: (runId) => bells.has(runId),
    add(runId, wake) {
      // An object for each call: the same function may be added twice and stopped once.
      const bell: Bell = { wake };
      bells.set(runId, [...(bells.get(runId) ?? []), bell]);
      return () => remove(runId, bell);
    },
    ring,
    ringAll() {
      for (const runId of bells.keys()) ring(runId);
    },
    clear() {
      // A wake may call this while other watches of its run are still to be woken.
      for (const bell of [...bells.values()].flat()) bell.wake = silent;
      bells.clear();
    },
  };
}

/** The wake of a watch that was stopped. */
function silent(): void {}
