import type { RunEventsError } from "@tm/run-events-core";

/** The actions of a page in one chat. */
export class PageChat {
  readonly #watchers = new Set<ChatWatcher>();
  #busy = 0;
  /** Resolves when no question is on its way. Never rejects. */
  sent: Promise<unknown> = Promise.resolve();
  /** The run that the next reconnect is for, or `null` for none; `undefined` if that is not known. */
  next: string | null | undefined;
  /** Whether a question has failed since the messages were last read: what the page has cut off for it, the server still has. */
  isCut = false;

  /** Whether a question is on its way, or an answer is shown as it comes. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** Makes the page busy. @returns a function that ends this, and says whether an answer was shown. It is called once */
  begin(): (hasShown: boolean) => void {
    this.#busy += 1;
    return (hasShown) => {
      this.#busy -= 1;
      for (const watcher of this.#watchers) watcher.onIdle(hasShown);
    };
  }

  /** The page shows the answer of this run from now on. */
  show(runId: string): void {
    for (const watcher of this.#watchers) watcher.onShown(runId);
  }

  /**
   * The page cannot read the rest of this answer.
   * @returns whether the page reads its messages again, so that it need not show the error
   */
  fail(runId: string, error: RunEventsError | null): boolean {
    return [...this.#watchers].filter(({ onFailed }) => onFailed(runId, error)).length > 0;
  }

  /** The server has answered a call of the page. What it has refused before, it may answer now. */
  revive(): void {
    for (const watcher of this.#watchers) watcher.onRevived();
  }

  /** @returns a function that removes the watcher */
  watch(watcher: ChatWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Listens to what the page does in a chat. */
export interface ChatWatcher {
  /** The page shows the answer of this run. */
  readonly onShown: (runId: string) => void;
  /** The page cannot read the rest of this answer. @see PageChat.fail */
  readonly onFailed: (runId: string, error: RunEventsError | null) => boolean;
  /** The server has answered a call of the page. */
  readonly onRevived: () => void;
  /** A question or an answer that made the page busy has ended. `hasShown` says whether an answer was shown. */
  readonly onIdle: (hasShown: boolean) => void;
}
