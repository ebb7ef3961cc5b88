import type { OnChannel } from "../driver.ts";
import type { PostgresJsSql } from "./driver.ts";
import { readingPhase } from "./reading-phase.ts";

type OnNotification = OnChannel["onNotification"];

/** A channel that postgres.js listens on, until its `sql` is ended. */
interface Channel {
  readonly listeners: Set<OnNotification>;
  /** Resolves with the first connection that listens. */
  readonly ready: Promise<void>;
}

/** The channels of each `sql`, which its drivers share. */
const CHANNELS = new WeakMap<PostgresJsSql, Map<string, Channel>>();

/**
 * Listens until the returned function is called. postgres.js listens again by itself after a lost connection, and keeps every listener. So each
 * channel of an `sql` has one permanent listener, which passes notifications on to the current ones. Heartbeats and polls find what was lost
 * between two connections.
 */
export function listenOn(
  sql: PostgresJsSql,
  name: string,
  { onListening, onNotification }: OnChannel,
): () => void {
  const channels = CHANNELS.get(sql) ?? new Map<string, Channel>();
  CHANNELS.set(sql, channels);
  const { listeners, ready } = channels.get(name) ?? open(sql, name);
  channels.set(name, { listeners, ready });
  listeners.add(onNotification);
  void ready.then(onListening);
  return () => void listeners.delete(onNotification);
}

function open(sql: PostgresJsSql, name: string): Channel {
  const listeners = new Set<OnNotification>();
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const passOn = (payload: string): void => {
    for (const listener of listeners) listener(payload);
  };
  const listening = readingPhase().then(() => sql.listen(name, passOn, resolve));
  // It rejects if no connection can be opened. postgres.js then tries again.
  listening.catch(() => {});
  return { listeners, ready };
}
