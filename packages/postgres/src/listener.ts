import type { PostgresPoolClient } from "./driver.ts";
import { type Connect, namingQueryOf, type Query } from "./query.ts";

/** How often the connection is tried by a notification to it, and how long that and LISTEN may take, in milliseconds. */
const HEARTBEAT_MS = 5_000;
const FIRST_BACKOFF_MS = 100;
const MOST_BACKOFF_MS = 30_000;
const PROBE = "?";

/** The one connection of a process on which it is notified and notifies. */
export interface Listener {
  /** Whether a notification was heard back lately. Through a pooler of transactions it never is: LISTEN gets lost there. */
  isProven(): boolean;
  /** Connects, unless it has, and stays connected until `close`. */
  start(): void;
  /** Notifies everybody who listens. Rejects with what the driver throws: then polling finds what was not said. */
  send(payloads: readonly string[]): Promise<void>;
  close(): void;
}

/** What a listener does. */
export interface ListenerOptions {
  readonly connect: Connect;
  /** An identifier. */
  readonly channel: string;
  /** The statement that notifies, with the channel and the payloads as its parameters. */
  readonly notify: string;
  /** Runs it on other connections, as long as this one is not proven. */
  readonly query: Query;
  readonly onNotification: (payload: string) => void;
  /** Called when `isProven` changes. Before it turned true, notifications may have been lost. */
  readonly onProven: (proven: boolean) => void;
}

/**
 * Listens on a connection of its own, and connects again, later and later, when that is lost: when it breaks, and when a
 * notification from another connection does not arrive until the next heartbeat. It comes from another one since a pooler
 * of transactions hands back what a connection notifies itself of, and nothing else. Timers do not hold the process.
 * @see S13, S14
 */
export function createListener(options: ListenerOptions): Listener {
  const { channel } = options;
  // Only asked where this connection is proven, and then it is a session.
  const queryOwn = namingQueryOf(() => true);
  let current: PostgresPoolClient | null = null;
  let timer: NodeJS.Timeout | null = null;
  let proven = false;
  let awaited: string | null = null;
  let failures = 0;
  let started = false;
  let closed = false;

  function prove(now: boolean): void {
    if (proven === now) return;
    proven = now;
    options.onProven(now);
  }

  async function connect(): Promise<void> {
    let client: PostgresPoolClient;
    try {
      client = await options.connect(() => lose(client));
    } catch {
      // Polling goes on meanwhile, and whoever reads or appends learns of the failure.
      if (!closed) retryLater();
      return;
    }
    if (closed) {
      client.release(true);
      return;
    }
    current = client;
    client.on("end", () => lose(client));
    client.on("notification", (notification) => {
      if (client !== current || notification.channel !== channel) return;
      hear(notification.payload ?? "");
    });
    arm(HEARTBEAT_MS, () => lose(client));
    try {
      await client.query(`LISTEN "${channel}"`);
      beat(client);
    } catch {
      lose(client);
    }
  }

  function hear(payload: string): void {
    if (!payload.startsWith(PROBE)) {
      options.onNotification(payload);
      return;
    }
    if (payload !== awaited) return;
    awaited = null;
    failures = 0;
    prove(true);
  }

  function beat(client: PostgresPoolClient): void {
    if (client !== current) return;
    if (awaited !== null) {
      lose(client);
      return;
    }
    awaited = `${PROBE}${crypto.randomUUID()}`;
    options.query(options.notify, [channel, [awaited]]).catch(() => lose(client));
    arm(HEARTBEAT_MS, () => beat(client));
  }

  function lose(client: PostgresPoolClient): void {
    if (client !== current) return;
    current = null;
    awaited = null;
    client.release(true);
    prove(false);
    retryLater();
  }

  function retryLater(): void {
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** failures, MOST_BACKOFF_MS);
    failures += 1;
    // Half of it by chance, so that the processes of a restarted database do not come back all at once.
    arm(backoffMs * (0.5 + Math.random() / 2), () => void connect());
  }

  function arm(delayMs: number, work: () => void): void {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(work, delayMs);
    timer.unref();
  }

  return {
    isProven: () => proven,
    start() {
      if (started || closed) return;
      started = true;
      void connect();
    },
    async send(payloads) {
      const values = [channel, [...payloads]];
      if (current !== null && proven) await queryOwn(current, options.notify, values);
      else await options.query(options.notify, values);
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      const client = current;
      current = null;
      client?.release(true);
    },
  };
}
