import type { PostgresNotification } from "../driver.ts";
import type { PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

/** A client that listens. */
export interface ListeningClient {
  onNotification(notification: PostgresNotification): void;
  /** Another connection listens in place of a lost one. Notifications may have been lost in between. */
  onLost(): void;
}

/** A channel that postgres.js listens on, until its `sql` is ended. */
interface Channel {
  readonly clients: Set<ListeningClient>;
  /** Resolves with the first connection that listens. */
  readonly ready: PromiseWithResolvers<void>;
}

/**
 * The channels of one `sql`. postgres.js listens again by itself after a lost connection, and keeps every listener. So each channel has
 * one permanent listener, which passes notifications on to the current clients.
 */
export class PostgresJsChannels {
  readonly #sql: PostgresJsSql;
  readonly #channels = new Map<string, Channel>();

  constructor(sql: PostgresJsSql) {
    this.#sql = sql;
  }

  /** Resolves when a connection listens. Until `leave`, the client gets the channel's notifications. */
  join(name: string, client: ListeningClient): Promise<void> {
    const channel = this.#channels.get(name) ?? this.#open(name);
    channel.clients.add(client);
    return channel.ready.promise;
  }

  leave(client: ListeningClient): void {
    for (const { clients } of this.#channels.values()) clients.delete(client);
  }

  #open(name: string): Channel {
    const channel: Channel = { clients: new Set(), ready: Promise.withResolvers() };
    this.#channels.set(name, channel);
    let isFirst = true;
    const onNotification = (payload: string): void => {
      for (const client of channel.clients) client.onNotification({ channel: name, payload });
    };
    const onListen = (): void => {
      channel.ready.resolve();
      if (!isFirst) for (const client of channel.clients) client.onLost();
      isFirst = false;
    };
    const listening = readingPhase().then(() => this.#sql.listen(name, onNotification, onListen));
    // It rejects if no connection can be opened. postgres.js then tries again.
    listening.catch(() => {});
    return channel;
  }
}

const CHANNELS = new WeakMap<PostgresJsSql, PostgresJsChannels>();

/** The channels of an `sql`. All its pools share them, since postgres.js keeps every listener. */
export function channelsOf(sql: PostgresJsSql): PostgresJsChannels {
  const channels = CHANNELS.get(sql) ?? new PostgresJsChannels(sql);
  CHANNELS.set(sql, channels);
  return channels;
}
