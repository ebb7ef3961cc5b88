/** What a page does in one chat. */
export class PageChat {
  readonly #watchers = new Set<ChatWatcher>();
  #busy = 0;
  /** Resolves when no question is on its way. Never rejects. */
  sent: Promise<unknown> = Promise.resolve();
  /** The run that the next reconnect is for, if that is known. */
  next: string | null = null;

  /** Whether a question is on its way, or an answer is shown as it comes. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** @returns ends it. It may be called again */
  begin(): () => void {
    let isOver = false;
    this.#busy += 1;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#busy -= 1;
      for (const watcher of this.#watchers) watcher.onIdle();
    };
  }

  /** The page shows the answer of this run from now on. */
  show(runId: string): void {
    for (const watcher of this.#watchers) watcher.onShown(runId);
  }

  /** @returns removes the watcher */
  watch(watcher: ChatWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Listens to what the page does in a chat. */
export interface ChatWatcher {
  /** The page shows the answer of this run. */
  readonly onShown: (runId: string) => void;
  /** The page may do something else now. */
  readonly onIdle: () => void;
}
