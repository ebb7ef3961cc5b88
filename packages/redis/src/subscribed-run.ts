import type { RunEventsError } from "@tm/run-events-core";

/** A run or an owner that has subscriptions. */
export class SubscribedRun {
  /** The id of a run, or the name of an owner. */
  readonly name: string;
  subscriptions = 0;
  /** What the last poll read of the run; `null` before the first poll. */
  mark: string | null = null;
  /** Whether a poll of it is under way. */
  isPolled = false;
  /** Whether its channel has had a message since the last poll. */
  hasMessage = false;
  #ready = createReady();
  #isReady = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Resolves when every later commit notifies. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves `ready`: the run was polled, or its channel is subscribed. */
  settle(): void {
    this.#isReady = true;
    this.#ready.resolve();
  }

  /** Rejects `ready` for all that wait. Later subscriptions wait for the next poll. */
  fail(failure: RunEventsError): void {
    if (this.#isReady) return;
    this.#ready.reject(failure);
    this.#ready = createReady();
  }
}

function createReady(): PromiseWithResolvers<void> {
  const ready = Promise.withResolvers<void>();
  // A caller that does not wait for `ready` gets the failure from its next read.
  ready.promise.catch(() => {});
  return ready;
}
