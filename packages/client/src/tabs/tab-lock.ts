/** What happens to a tab that asks for the lock. */
export interface LockListener {
  /** The tab leads from now on. */
  readonly onLead: () => void;
  /** Another tab has taken the lock from this one, because it was frozen and did not answer. */
  readonly onLost: () => void;
  /** The page is not allowed to use locks. */
  readonly onRefused: () => void;
}

/** The lock of which one tab of an origin has one, as long as it leads. */
export class TabLock {
  readonly #locks: LockManager;
  readonly #name: string;
  readonly #listener: LockListener;
  /** Ends the request that waits for its turn. */
  #queued: AbortController | null = null;
  /** Gives the lock back. */
  #giveBack: (() => void) | null = null;
  #isWanted = false;

  constructor(locks: LockManager, name: string, listener: LockListener) {
    this.#locks = locks;
    this.#name = name;
    this.#listener = listener;
  }

  /** Asks for the lock, and waits for its turn. */
  queue(): void {
    this.#isWanted = true;
    if (this.#queued !== null) return;
    this.#queued = new AbortController();
    this.#request({ signal: this.#queued.signal });
  }

  /** Takes the lock from the tab that has it. */
  steal(): void {
    this.#request({ steal: true });
  }

  /** Gives the lock back, or leaves the queue. */
  release(): void {
    this.#isWanted = false;
    this.#queued?.abort();
    this.#queued = null;
    this.#giveBack?.();
    this.#giveBack = null;
  }

  #request(how: LockOptions): void {
    let own: (() => void) | undefined;
    let isGranted = false;
    const onLock = async (): Promise<void> => {
      isGranted = true;
      if (how.steal !== true) this.#queued = null;
      if (!this.#isWanted || this.#giveBack !== null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      own = resolve;
      this.#giveBack = resolve;
      this.#listener.onLead();
      await promise;
    };
    this.#locks.request(this.#name, how, onLock).catch(() => {
      if (!isGranted && this.#isWanted && how.signal?.aborted !== true) this.#listener.onRefused();
      if (own === undefined || this.#giveBack !== own) return;
      this.#giveBack = null;
      this.#listener.onLost();
    });
  }
}
