import type { PostgresNotification } from "../driver.ts";
import type { PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

export type OnNotification = (notification: PostgresNotification) => void;

/** A channel that postgres.js listens on, until its `sql` is ended. */
interface Channel {
  readonly clients: Set<OnNotification>;
  /** Resolves with the first connection that listens. */
  readonly ready: Promise<void>;
}

/** By `sql`, whose pools share them. */
const CHANNELS = new WeakMap<PostgresJsSql, Map<string, Channel>>();

/**
 * Resolves when a connection listens. postgres.js listens again by itself after a lost connection, and keeps every listener. So each channel
 * of an `sql` has one permanent listener, which passes notifications on to the current clients. Heartbeats and polls find what was lost between
 * two connections.
 */
export function join(sql: PostgresJsSql, name: string, client: OnNotification): Promise<void> {
  const channels = CHANNELS.get(sql) ?? new Map<string, Channel>();
  CHANNELS.set(sql, channels);
  const channel = channels.get(name) ?? open(sql, name);
  channels.set(name, channel);
  channel.clients.add(client);
  return channel.ready;
}

/** The client gets no more notifications. */
export function leave(sql: PostgresJsSql, client: OnNotification): void {
  for (const { clients } of CHANNELS.get(sql)?.values() ?? []) clients.delete(client);
}

function open(sql: PostgresJsSql, name: string): Channel {
  const clients = new Set<OnNotification>();
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const onNotification = (payload: string): void => {
    for (const client of clients) client({ channel: name, payload });
  };
  const listening = readingPhase().then(() => sql.listen(name, onNotification, resolve));
  // It rejects if no connection can be opened. postgres.js then tries again.
  listening.catch(() => {});
  return { clients, ready };
}
