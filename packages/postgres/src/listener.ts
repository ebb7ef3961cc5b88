import { planBackoff } from "@tm/run-events-core/store";
import type { PostgresPoolClient } from "./driver.ts";
import type { Connect } from "./query.ts";

/** The interval of heartbeats that test the connection, and the time limit of a heartbeat or LISTEN, in milliseconds. */
const HEARTBEAT_MS = 5_000;
/** Half random, so that the processes of a restarted database do not all come back at once. */
const BACKOFF = { firstMs: 100, mostMs: 30_000, jitter: 0.5 };
const PROBE = "?";

/** The connection and the callbacks of a listener. */
export interface ListenerOptions {
  readonly connect: Connect;
  /** An identifier. */
  readonly channel: string;
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
  #client: PostgresPoolClient | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isProven = false;
  /** The heartbeat that has not returned yet. */
  #awaited: string | null = null;
  #failures = 0;
  #isStarted = false;
  #isClosed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Whether a heartbeat came back lately. Through a transaction pooler none does, since LISTEN is lost there. */
  isProven(): boolean {
    return this.#isProven;
  }

  /** Connects, unless it has, and stays connected until `close`. */
  start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    void this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    client?.release(true);
  }

  async #connect(): Promise<void> {
    let client: PostgresPoolClient;
    try {
      client = await this.#options.connect(() => this.#lose(client));
    } catch {
      // Polling goes on meanwhile, and the next read or append reports the failure.
      if (!this.#isClosed) this.#retryLater();
      return;
    }
    if (this.#isClosed) {
      client.release(true);
      return;
    }
    await this.#listen(client);
  }

  async #listen(client: PostgresPoolClient): Promise<void> {
    const { channel } = this.#options;
    this.#client = client;
    client.on("end", () => this.#lose(client));
    client.on("notification", (notification) => {
      if (client !== this.#client || notification.channel !== channel) return;
      this.#receive(notification.payload ?? "");
    });
    this.#arm(HEARTBEAT_MS, () => this.#lose(client));
    try {
      await client.query(`LISTEN "${channel}"`);
      this.#beat(client);
    } catch {
      this.#lose(client);
    }
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

  #beat(client: PostgresPoolClient): void {
    if (client !== this.#client) return;
    if (this.#awaited !== null) {
      this.#lose(client);
      return;
    }
    this.#awaited = `${PROBE}${crypto.randomUUID()}`;
    this.#options.send([this.#awaited]).catch(() => this.#lose(client));
    this.#arm(HEARTBEAT_MS, () => this.#beat(client));
  }

  #lose(client: PostgresPoolClient): void {
    if (client !== this.#client) return;
    this.#client = null;
    this.#awaited = null;
    client.release(true);
    this.#prove(false);
    this.#retryLater();
  }

  #prove(isProven: boolean): void {
    if (this.#isProven === isProven) return;
    this.#isProven = isProven;
    this.#options.onProven(isProven);
  }

  #retryLater(): void {
    this.#failures += 1;
    this.#arm(planBackoff(BACKOFF, this.#failures, Math.random()), () => void this.#connect());
  }

  #arm(delayMs: number, work: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(work, delayMs);
    this.#timer.unref();
  }
}
