import { processClosing } from "../rules/errors.ts";
import type { RunEventStore } from "../store/store.ts";

interface Parts {
  /** The followers of runs, the watched lists, and the watches of the store. */
  readonly readers: readonly { close(): void }[];
  /** The calls on their way to the store. */
  readonly queues: readonly { idle(): Promise<void> }[];
  readonly store: Pick<RunEventStore, "close">;
}

/**
 * The end of a log, in a fixed order:
 *
 * | step | what ends         | how                                                                                          |
 * | ---- | ----------------- | -------------------------------------------------------------------------------------------- |
 * | 1    | every reader      | with `store_unavailable`. First, since a worker's task may await a tail                      |
 * | 2    | every worker      | `signal` aborts. Their appends still land, and they are waited for                           |
 * | 3    | appends and reads | `isClosing` refuses new appends. Those under way are waited for, and not sent again for long |
 * | 4    | the store         | it closes                                                                                    |
 *
 * Without a worker the first three are one step: calls after `close` are refused.
 * @see clause S18 in `STORE.md`
 */
export class Closing {
  readonly #shutdown = new AbortController();
  readonly #works = new Set<Promise<unknown>>();
  #isClosing = false;
  #closed: Promise<void> | null = null;

  /** Aborts when workers have to stop. */
  get signal(): AbortSignal {
    return this.#shutdown.signal;
  }

  /** Whether appends are refused, and calls in doubt are given up. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Waits for a worker in step 2. */
  async hold<Value>(work: Promise<Value>): Promise<Value> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  /** Idempotent. */
  close(parts: Parts): Promise<void> {
    this.#closed ??= this.#close(parts);
    return this.#closed;
  }

  async #close({ readers, queues, store }: Parts): Promise<void> {
    for (const one of readers) one.close();
    this.#shutdown.abort(processClosing());
    if (this.#works.size > 0) await Promise.allSettled(this.#works);
    this.#isClosing = true;
    await Promise.all(queues.map((queue) => queue.idle()));
    await store.close();
  }
}
