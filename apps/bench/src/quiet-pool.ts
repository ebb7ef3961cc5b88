import type pg from "pg";
import { type Connection, interceptQueries } from "./intercept-queries.ts";

/**
 * The pool with notifications that stay in this process: LISTEN is not sent, and who listens through this pool hears what
 * this pool is asked to notify of. A store works on it as on any other, but for what notifications cost.
 */
export function keepNotifications(pool: pg.Pool): pg.Pool {
  const listening = new Set<Connection>();
  return interceptQueries(pool, async ({ connection, text, values }, send) => {
    if (text.startsWith("LISTEN ")) listening.add(connection);
    else if (text.includes("pg_notify")) {
      const [channel, payloads] = values as [string, readonly string[]];
      for (const client of listening) {
        for (const payload of payloads) client.emit("notification", { channel, payload });
      }
    } else return send();
    return { rows: [] };
  });
}

/** The pool as it is, shown to somebody who does nothing: what the showing costs is then the same as for `keepNotifications`. */
export function passNotifications(pool: pg.Pool): pg.Pool {
  return interceptQueries(pool, (_query, send) => send());
}
