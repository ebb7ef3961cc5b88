import type { RunEventsError } from "@tm/run-events-core";
import type { Subject } from "@tm/run-events-core/store";

/** A run or an owner that has subscriptions. */
export class Followed {
  readonly subject: Subject;
  readonly channel: string;
  subscriptions = 0;
  /** The state that the last poll read; `null` before the first poll. */
  mark: string | null = null;
  /** Whether a poll of it is under way. */
  isPolled = false;
  /** Whether its channel has had a message, or was subscribed again, since the last poll. */
  hasMessage = false;
  #ready = createReady();
  #isReady = false;

  constructor(subject: Subject, channel: string) {
    this.subject = subject;
    this.channel = channel;
  }

  /** Resolves when every later commit notifies. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves `ready`: it was polled, or its channel is subscribed. */
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
