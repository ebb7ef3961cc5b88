import { planBackoff } from "@tm/run-events-core/store";
import type { OnChannel } from "./driver.ts";

/** The interval of heartbeats that test the connection, which is also the time limit of one, in milliseconds. */
const HEARTBEAT_MS = 5_000;
/** Half random, so that the processes of a restarted database do not all come back at once. */
const BACKOFF = { firstMs: 100, mostMs: 30_000, jitter: 0.5 };
const PROBE = "?";

/** The connection and the callbacks of a listener. */
export interface ListenerOptions {
  /** Listens on one connection until the returned function is called. */
  readonly listen: (on: OnChannel) => () => void;
  /** Notifies all listeners, on another connection. */
  readonly send: (payloads: readonly string[]) => Promise<unknown>;
  readonly onNotification: (payload: string) => void;
  /** Called when `isProven` changes. Before it turned true, notifications may have been lost. */
  readonly onProven: (proven: boolean) => void;
}

/**
 * Listens on its own connection. The connection is lost if it breaks, or if a heartbeat does not arrive before the next
 * one. Then the listener connects again, after growing pauses. Another connection sends the heartbeat, since a transaction
 * pooler only returns what a connection notifies itself of. Timers do not keep the process alive.
 * @see clause S13 in `STORE.md`
 */
export class Listener {
  readonly #options: ListenerOptions;
  /** Ends the connection that listens, or is to listen. */
  #end: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isProven = false;
  /** The heartbeat that has not returned yet. */
  #awaited: string | null = null;
  #failures = 0;
  #isStarted = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Whether a heartbeat came back lately. Through a transaction pooler none does, since LISTEN is lost there. */
  isProven(): boolean {
    return this.#isProven;
  }

  /** Connects, unless it has, and stays connected until `close`. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#connect();
  }

  /** Stops listening for good. */
  close(): void {
    this.#isStarted = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#end?.();
    this.#end = null;
  }

  /** While there is no connection, polls find the commits, and the next read or append reports the failure. */
  #connect(): void {
    const end = this.#options.listen({
      onListening: () => this.#beat(end),
      onNotification: (payload) => this.#receive(payload),
      onLost: () => this.#lose(end),
    });
    this.#end = end;
  }

  #receive(payload: string): void {
    if (!payload.startsWith(PROBE)) {
      this.#options.onNotification(payload);
      return;
    }
    if (payload !== this.#awaited) return;
    this.#awaited = null;
    this.#failures = 0;
    this.#prove(true);
  }

  #beat(end: () => void): void {
    if (end !== this.#end) return;
    if (this.#awaited !== null) {
      this.#lose(end);
      return;
    }
    this.#awaited = `${PROBE}${crypto.randomUUID()}`;
    this.#options.send([this.#awaited]).catch(() => this.#lose(end));
    this.#arm(HEARTBEAT_MS, () => this.#beat(end));
  }

  #lose(end: () => void): void {
    if (end !== this.#end) return;
    this.#end = null;
    this.#awaited = null;
    end();
    this.#prove(false);
    this.#failures += 1;
    this.#arm(planBackoff(BACKOFF, this.#failures, Math.random()), () => this.#connect());
  }

  #prove(isProven: boolean): void {
    if (this.#isProven === isProven) return;
    this.#isProven = isProven;
    this.#options.onProven(isProven);
  }

  #arm(delayMs: number, work: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(work, delayMs);
    this.#timer.unref();
  }
}
