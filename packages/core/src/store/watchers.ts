import { afterThis } from "../time/clock.ts";

/** The bells of one process: who wants to be woken for which run. */
export interface Watchers {
  /** The runs that someone watches. */
  runIds(): IterableIterator<string>;
  /** Whether someone watches the run. */
  has(runId: string): boolean;
  /** Adds a bell; the returned function takes it off again and may be called twice. */
  add(runId: string, wake: () => void): () => void;
  /** Rings everyone who watches the run, after the current synchronous work; rings until then merge. */
  ring(runId: string): void;
  ringAll(): void;
  /** Takes all bells off. */
  clear(): void;
}

interface Bell {
  wake: () => void;
}

/**
 * Keeps the bells of an adapter. Wakes run in a microtask of their own, so that no reader acts inside an append that has
 * not yet answered, and one that was taken off meanwhile stays silent.
 * @see S13, S14
 */
export function createWatchers(): Watchers {
  // Lists, and not sets: they take less memory, and a run mostly has one.
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
      // The list is that of this moment: a bell that another one's wake takes off is silent, one that it adds is not rung.
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
      // One object a call: the same function may be added twice and taken off once.
      const bell: Bell = { wake };
      bells.set(runId, [...(bells.get(runId) ?? []), bell]);
      return () => remove(runId, bell);
    },
    ring,
    ringAll() {
      for (const runId of bells.keys()) ring(runId);
    },
    clear() {
      // A wake may call this, while others of its run are still to be woken.
      for (const bell of [...bells.values()].flat()) bell.wake = silent;
      bells.clear();
    },
  };
}

/** The wake of a bell that was taken off. */
function silent(): void {}
