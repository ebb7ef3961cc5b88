import { serverUrl } from "../http/server-url.ts";

/** The number of tabs that may have a stream. Over HTTP/1.1 a browser opens six connections to a host, and other requests need some of them. */
const SLOTS = 4;

/** The part of a browser that is used. Other hosts have no address, and as many connections as they like. */
interface Host {
  readonly location?: unknown;
  readonly navigator?: { readonly locks?: LockManager };
}

/**
 * A tab's place among the few of its browser that may have a stream at a server. A slot is a lock of the browser, which releases it even when
 * the tab crashes. Where there are no locks, every tab may have a stream.
 * @see https://www.w3.org/TR/web-locks/
 */
export class StreamSlot {
  readonly #names: readonly string[];
  #locks: LockManager | undefined;
  /** Ends the lock that is held. */
  #end: (() => void) | null = null;

  /**
   * @param baseUrl where the server is: tabs share the slots of an origin, as they share its connections
   * @throws TypeError if the address is invalid
   */
  constructor(baseUrl: string, host: Host = globalThis as Host) {
    if (host.location !== undefined) this.#locks = host.navigator?.locks;
    const origin = this.#locks && serverUrl(baseUrl, "/").origin;
    this.#names = Array.from({ length: SLOTS }, (_, slot) => `run-events ${origin} ${slot}`);
  }

  /** Takes a slot if one is free. Call it again, or `release`, only when its promise has resolved. @returns whether one is held now */
  async take(): Promise<boolean> {
    for (const name of this.#names) {
      if (this.#locks === undefined || this.#end !== null) return true;
      await this.#request(this.#locks, name);
    }
    return this.#locks === undefined || this.#end !== null;
  }

  /** Releases the slot. Idempotent. */
  release(): void {
    this.#end?.();
    this.#end = null;
  }

  /** Resolves when it is known whether the lock is free. If it is, it is held until `release`. */
  async #request(locks: LockManager, name: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold = async (lock: Lock | null): Promise<void> => {
      const held = Promise.withResolvers<void>();
      if (lock === null) held.resolve();
      else this.#end = held.resolve;
      resolve();
      await held.promise;
    };
    locks.request(name, { ifAvailable: true }, hold).catch(() => {
      this.#locks = undefined;
      resolve();
    });
    return promise;
  }
}
