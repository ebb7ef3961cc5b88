import { setTimeout as wait } from "node:timers/promises";
import type { RedisSubscriber, SubscriberOptions } from "../driver.ts";
import type { NodeRedisClient, NodeRedisConnection } from "./driver.ts";

type Listener = (...values: string[]) => void;

/**
 * The connection for channels: one node-redis client after another. A client of node-redis would subscribe again by itself, without
 * showing when. A new client has no channels, so the store subscribes to all of them, and knows when the server has confirmed it.
 *
 * Each client ends with an error, or with a silence of the server: while it connects, or after a ping. Then comes a pause, longer after each
 * attempt that failed.
 */
export class NodeRedisChannels implements RedisSubscriber {
  readonly #client: NodeRedisClient;
  readonly #options: SubscriberOptions;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #closed = new AbortController();
  #connection: NodeRedisConnection;
  #isUp = false;
  #isPinging = false;
  /** Ends the connection. */
  #lose: () => void = () => {};

  constructor(client: NodeRedisClient, options: SubscriberOptions) {
    this.#client = client;
    this.#options = options;
    this.#connection = this.#open();
    void this.#stayConnected();
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  async subscribe(...channels: string[]): Promise<void> {
    if (channels.length > 0) await this.#connection.subscribe(channels, this.#onMessage);
  }

  async unsubscribe(...channels: string[]): Promise<void> {
    if (channels.length > 0) await this.#connection.unsubscribe(channels);
  }

  async ping(): Promise<void> {
    // One ping at a time: the first without an answer shows that the server is silent.
    if (!this.#isUp || this.#isPinging) return;
    this.#isPinging = true;
    const silence = setTimeout(this.#lose, this.#options.socketTimeout);
    silence.unref();
    try {
      await this.#connection.ping();
    } finally {
      clearTimeout(silence);
      this.#isPinging = false;
    }
  }

  disconnect(): void {
    this.#closed.abort();
    this.#lose();
  }

  readonly #onMessage = (message: string, channel: string): void => {
    this.#emit("message", channel, message);
  };

  async #stayConnected(): Promise<void> {
    for (let attempt = 1; !this.#closed.signal.aborted; attempt += 1) {
      const connection = this.#connection;
      const lost = Promise.withResolvers<false>();
      this.#lose = () => lost.resolve(false);
      connection.on("error", this.#lose);
      const opened = connection.connect().then(
        () => true,
        () => false,
      );
      const silence = this.#pause(this.#options.socketTimeout);
      const isUp = await Promise.race([opened, silence, lost.promise]);
      this.#isUp = isUp;
      if (isUp) {
        attempt = 1;
        this.#emit("ready");
        await lost.promise;
        this.#isUp = false;
      }
      // `destroy` of a client that is closed would throw.
      if (connection.isOpen) connection.destroy();
      if (isUp) this.#emit("close");
      await this.#pause(this.#options.retryStrategy(attempt));
      if (!this.#closed.signal.aborted) this.#connection = this.#open();
    }
  }

  #open(): NodeRedisConnection {
    const { socket } = this.#client.options;
    const connection = this.#client.duplicate({
      socket: { ...socket, reconnectStrategy: false },
      disableOfflineQueue: false,
    });
    // A client that is destroyed before its socket is connected still connects, and would stay open.
    connection.on("connect", () => {
      if (!connection.isOpen) connection.destroy();
    });
    return connection;
  }

  /** Waits, until it is closed at most. */
  async #pause(ms: number): Promise<false> {
    const { signal } = this.#closed;
    await wait(ms, undefined, { ref: false, signal }).catch(() => {});
    return false;
  }

  #emit(event: string, ...values: string[]): void {
    if (this.#closed.signal.aborted) return;
    for (const listener of this.#listeners.get(event) ?? []) listener(...values);
  }
}
