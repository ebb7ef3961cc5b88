import { untilAborted } from "../http/link-abort.ts";
import { serverUrl } from "../http/server-url.ts";

/** The number of windows that may have a stream. Over HTTP/1.1 a browser opens six connections to a host, and other requests need some of them. */
const SLOTS = 4;

/** The part of a browser that is used. Other hosts have no address, and as many connections as they like. */
interface Host {
  readonly location?: unknown;
  readonly navigator?: { readonly locks?: LockManager };
}

/** One wish for a slot, from `take` until `release`. */
interface Wish {
  /** Ends the wish, and with it the lock. */
  readonly end: AbortController;
  /** Ends the requests that wait for their turn. */
  readonly queue: AbortController;
  isHeld: boolean;
  /** Resolves when it is known whether a slot was free. */
  asked: Promise<void>;
}

/**
 * A window's place among the few of its browser that may have a stream at a server. A slot is a lock of the browser, which gives it back
 * even when the window crashes.
 *
 * | it    | until                                  | then                   |
 * | ----- | -------------------------------------- | ---------------------- |
 * | idle  | `take`                                 | asks                   |
 * | asks  | one of the slots is free               | holds                  |
 * | asks  | none is free                           | waits                  |
 * | waits | a slot becomes free                    | holds, calls `onFree`  |
 * | any   | `release`                              | idle                   |
 * | any   | the browser has no locks for this page | holds                  |
 *
 * A lock that comes after that is given back at once.
 * @see https://www.w3.org/TR/web-locks/
 */
export class StreamSlot {
  readonly #names: readonly string[];
  readonly #onFree: () => void;
  #locks: LockManager | undefined;
  #wish: Wish | null = null;

  /**
   * @param baseUrl where the server is: windows share the slots of an origin, as they share its connections
   * @param onFree called when a slot has become free, and is held now
   * @throws TypeError if the address is invalid
   */
  constructor(baseUrl: string, onFree: () => void, host: Host = globalThis as Host) {
    this.#onFree = onFree;
    if (host.location !== undefined) this.#locks = host.navigator?.locks;
    const origin = this.#locks && serverUrl(baseUrl, "/").origin;
    this.#names = Array.from({ length: SLOTS }, (_, slot) => `run-events ${origin} ${slot}`);
  }

  /** Resolves with whether a slot is held. If not, `onFree` is called later. */
  async take(): Promise<boolean> {
    if (this.#locks === undefined) return true;
    if (this.#wish === null) {
      const [end, queue] = [new AbortController(), new AbortController()];
      this.#wish = { end, queue, isHeld: false, asked: Promise.resolve() };
      this.#wish.asked = this.#ask(this.#wish);
    }
    const wish = this.#wish;
    await wish.asked;
    return wish.isHeld;
  }

  /** Gives the slot back, or leaves the queue. Idempotent. */
  release(): void {
    this.#wish?.end.abort();
    this.#wish?.queue.abort();
    this.#wish = null;
  }

  async #ask(wish: Wish): Promise<void> {
    for (const name of this.#names) {
      if (isOpen(wish)) await this.#request(wish, name, { ifAvailable: true });
    }
    if (!isOpen(wish)) return;
    const { signal } = wish.queue;
    for (const name of this.#names) {
      void this.#request(wish, name, { signal }).then((isGranted) => isGranted && this.#onFree());
    }
  }

  /** Resolves with whether the lock is held now. */
  async #request(wish: Wish, name: string, how: LockOptions): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const hold = async (lock: Lock | null): Promise<void> => {
      const isGranted = lock !== null && isOpen(wish);
      wish.isHeld ||= isGranted;
      resolve(isGranted);
      if (!isGranted) return;
      wish.queue.abort();
      await untilAborted(wish.end.signal);
    };
    this.#locks?.request(name, how, hold).catch(() => {
      const isRefused = isOpen(wish) && how.signal?.aborted !== true;
      if (isRefused) [this.#locks, wish.isHeld] = [undefined, true];
      resolve(isRefused);
    });
    return promise;
  }
}

/** Whether a lock is of use to it. */
function isOpen({ end, isHeld }: Wish): boolean {
  return !isHeld && !end.signal.aborted;
}
