/** Settings of a second client that differ from those of the first. */
export interface NodeRedisOverrides {
  readonly socket: object;
  readonly disableOfflineQueue: boolean;
}

/**
 * A client of one server of node-redis 6 (`redis` or `@redis/client`): what `createClient` returns. The caller opens and closes it.
 * @see https://github.com/redis/node-redis
 */
export interface NodeRedisClient {
  /** Whether the client is connected or reconnects. */
  readonly isOpen: boolean;
  readonly options: { readonly keyPrefix?: string | Uint8Array; readonly socket?: object };
  sendCommand(args: string[], options: { readonly typeMapping: object }): Promise<unknown>;
  duplicate(overrides: NodeRedisOverrides): NodeRedisConnection;
}

/** A second client, only for channels. */
export interface NodeRedisConnection {
  readonly isOpen: boolean;
  on(event: "error" | "connect", listener: () => void): unknown;
  connect(): Promise<unknown>;
  ping(): Promise<unknown>;
  subscribe(
    channels: string[],
    onMessage: (message: string, channel: string) => void,
  ): Promise<void>;
  unsubscribe(channels: string[]): Promise<void>;
  destroy(): void;
}
