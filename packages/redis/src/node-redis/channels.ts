import type { RedisSubscriber, SubscriberOptions } from "../driver.ts";
import type { NodeRedisClient, NodeRedisConnection } from "./driver.ts";

type Listener = (...values: string[]) => void;

/**
 * The connection for channels: one node-redis client after another. A client of node-redis would subscribe again by itself, without
 * showing when. A new client has no channels. So the store subscribes to all of them, and knows when the server has confirmed it.
 *
 * | state      | begins with                                  | ends with                                         |
 * | ---------- | -------------------------------------------- | ------------------------------------------------- |
 * | connecting | the start, or the end of a pause             | `ready`, or an error or silence: then a pause      |
 * | up         | `ready`                                      | an error, or a ping without an answer: `close`     |
 * | pause      | a lost connection; longer after each failure | the end of its time                               |
 */
export class NodeRedisChannels implements RedisSubscriber {
  readonly #client: NodeRedisClient;
  readonly #options: SubscriberOptions;
  readonly #listeners = new Map<string, Listener[]>();
  #state: "connecting" | "up" | "pause" | "closed" = "connecting";
  #connection: NodeRedisConnection;
  #failures = 0;
  /** Ends a pause, or a connection whose server is silent. */
  #timer: NodeJS.Timeout | null = null;

  constructor(client: NodeRedisClient, options: SubscriberOptions) {
    this.#client = client;
    this.#options = options;
    this.#connection = this.#connect();
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
    const connection = this.#connection;
    // One ping at a time: the first without an answer shows that the server is silent.
    if (this.#state !== "up" || this.#timer !== null) return;
    this.#loseInSilence(connection);
    await connection.ping();
    if (connection === this.#connection && this.#state === "up") this.#disarm();
  }

  disconnect(): void {
    this.#state = "closed";
    this.#disarm();
    end(this.#connection);
  }

  readonly #onMessage = (message: string, channel: string): void => {
    this.#emit("message", channel, message);
  };

  #connect(): NodeRedisConnection {
    const { socket } = this.#client.options;
    const connection = this.#client.duplicate({
      socket: { ...socket, reconnectStrategy: false },
      disableOfflineQueue: false,
    });
    connection.on("error", () => this.#lose(connection));
    // A client that is destroyed before its socket is connected still connects, and would stay open.
    connection.on("connect", () => {
      if (!connection.isOpen) connection.destroy();
    });
    this.#state = "connecting";
    this.#loseInSilence(connection);
    connection.connect().then(
      () => this.#begin(connection),
      () => this.#lose(connection),
    );
    return connection;
  }

  #begin(connection: NodeRedisConnection): void {
    if (connection !== this.#connection || this.#state !== "connecting") return;
    this.#disarm();
    this.#failures = 0;
    this.#state = "up";
    this.#emit("ready");
  }

  #lose(connection: NodeRedisConnection): void {
    const state = this.#state;
    if (connection !== this.#connection || state === "pause" || state === "closed") return;
    this.#state = "pause";
    end(connection);
    this.#failures += 1;
    this.#arm(this.#options.retryStrategy(this.#failures), () => {
      this.#connection = this.#connect();
    });
    if (state === "up") this.#emit("close");
  }

  #loseInSilence(connection: NodeRedisConnection): void {
    this.#arm(this.#options.socketTimeout, () => this.#lose(connection));
  }

  #arm(ms: number, work: () => void): void {
    this.#disarm();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      work();
    }, ms);
    this.#timer.unref();
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #emit(event: string, ...values: string[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...values);
  }
}

/** Closes a client, unless it is closed: `destroy` would throw. */
function end(connection: NodeRedisConnection): void {
  if (connection.isOpen) connection.destroy();
}
