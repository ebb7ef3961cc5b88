import type { RunEventsError } from "@tm/run-events-core";

/** A run that has subscriptions. */
export class SubscribedRun {
  readonly runId: string;
  subscriptions = 0;
  /** What the run was like when it was last looked at; `null` before that. */
  mark: string | null = null;
  /** Whether its channel has had a message since then. */
  hasSpoken = false;
  #ready = createReady();
  #isReady = false;

  constructor(runId: string) {
    this.runId = runId;
  }

  /** Resolves when every later commit notifies. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** The run is looked at, or heard. */
  settle(): void {
    this.#isReady = true;
    this.#ready.resolve();
  }

  /** Rejects for all that wait. Later subscriptions wait for the next look. */
  fail(failure: RunEventsError): void {
    if (this.#isReady) return;
    this.#ready.reject(failure);
    this.#ready = createReady();
  }
}

function createReady(): PromiseWithResolvers<void> {
  const ready = Promise.withResolvers<void>();
  // A caller that does not wait for it learns of the failure from the next read.
  ready.promise.catch(() => {});
  return ready;
}
