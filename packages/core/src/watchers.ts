/** The bells of one process: who wants to be woken for which run. */
export interface Watchers {
  /** The runs that someone watches. */
  runIds(): IterableIterator<string>;
  /** Adds a bell; the returned function takes it off again and may be called twice. */
  add(runId: string, wake: () => void): () => void;
  /** Rings everyone who watches the run, after the current synchronous work; rings until then merge. */
  ring(runId: string): void;
  ringAll(): void;
  /** Takes all bells off. */
  clear(): void;
}

/**
 * Keeps the bells of an adapter. Wakes run in a microtask of their own, so that no reader acts inside an append that has
 * not yet answered, and one that was taken off meanwhile stays silent.
 * @see S13, S14
 */
export function createWatchers(): Watchers {
  const bells = new Map<string, Set<() => void>>();
  const ringing = new Set<string>();

  function ring(runId: string): void {
    if (!bells.has(runId)) return;
    if (ringing.size === 0) queueMicrotask(wakeAll);
    ringing.add(runId);
  }

  function wakeAll(): void {
    const runIds = [...ringing];
    ringing.clear();
    for (const runId of runIds) {
      // A bell that another one's wake takes off is not reached; one that it adds rings for nothing, as any may.
      for (const wake of bells.get(runId) ?? []) wake();
    }
  }

  return {
    runIds: () => bells.keys(),
    add(runId, wake) {
      // One object a call: the same function may be added twice and taken off once.
      const bell = (): void => wake();
      const set = bells.get(runId) ?? new Set();
      bells.set(runId, set.add(bell));
      return () => {
        set.delete(bell);
        if (set.size === 0 && bells.get(runId) === set) bells.delete(runId);
      };
    },
    ring,
    ringAll() {
      for (const runId of bells.keys()) ring(runId);
    },
    clear() {
      bells.clear();
    },
  };
}
