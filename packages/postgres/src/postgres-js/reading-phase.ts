import { MessageChannel } from "node:worker_threads";

/**
 * Resolves in the phase of the event loop in which sockets are read, in the order of the calls. Each statement begins there.
 *
 * postgres.js 3.4 gathers what it writes until the next `setImmediate`. If the connection is closed before that, nothing is ever written to
 * this place of its pool again: each later connection there fails with `CONNECT_TIMEOUT`. A statement that begins in the phase of reading
 * is written before connections are closed. One that begins in a `setImmediate`, as the appends of core do, is written after that.
 * @see https://github.com/porsager/postgres/pull/1209
 */
export function readingPhase(): Promise<void> {
  phase ??= new ReadingPhase();
  return phase.next();
}

let phase: ReadingPhase | null = null;

class ReadingPhase {
  // Messages arrive in that phase, like bytes of a socket.
  readonly #channel = new MessageChannel();
  #next: PromiseWithResolvers<void> | null = null;

  constructor() {
    const { port2 } = this.#channel;
    port2.on("message", () => {
      const next = this.#next;
      this.#next = null;
      port2.unref();
      next?.resolve();
    });
    port2.unref();
  }

  next(): Promise<void> {
    if (this.#next !== null) return this.#next.promise;
    this.#next = Promise.withResolvers();
    const { port1, port2 } = this.#channel;
    // A program that waits for a statement does not end.
    port2.ref();
    port1.postMessage(null);
    return this.#next.promise;
  }
}
