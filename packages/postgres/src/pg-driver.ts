import type { OnChannel, PgClient, PgPool, PgStatement, PostgresDriver } from "./driver.ts";
import { keepsConnection, storeFailure } from "./failure.ts";

/** The time limit of a LISTEN, in milliseconds. */
const LISTEN_MS = 5_000;

/** Makes a driver of a pool of pg. */
export function driverOfPg(pool: PgPool): PostgresDriver {
  /** A statement's own limit takes the place of the pool's, even of a shorter one. */
  const limit = (timeoutMs: number | undefined): number | undefined =>
    timeoutMs && Math.min(timeoutMs, pool.options?.query_timeout || timeoutMs);
  return {
    query: (text, values = [], { name, timeoutMs } = {}) =>
      onClient(pool, (client) =>
        ask(client, { name, text, values, query_timeout: limit(timeoutMs) }),
      ),
    transact: (work) =>
      onClient(pool, async (client) => {
        const query = (text: string, values: unknown[] = []) => ask(client, { text, values });
        await query("BEGIN ISOLATION LEVEL READ COMMITTED");
        try {
          const result = await work({ query });
          await query("COMMIT");
          return result;
        } catch (error) {
          // Any other connection is closed, which ends the transaction as well: a silent one would hold up the caller a second time.
          if (keepsConnection(error)) await query("ROLLBACK").catch(() => {});
          throw error;
        }
      }),
    listen: (channel, on) => listen(pool, channel, on),
  };
}

/**
 * Takes a connection out of the pool. `onError` is called when it breaks, from the first moment: an error that a server sends in one
 * packet with an answer comes before the code that awaits the connection can listen. An error without a listener ends the process.
 */
function connect(pool: PgPool, onError: () => void): Promise<PgClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) {
        // Without a connection, nothing was sent.
        reject(
          storeFailure(error ?? new Error("The pool gave neither a connection nor an error.")),
        );
        return;
      }
      client.on("error", onError);
      resolve(client);
    });
  });
}

/** Works on a connection of the pool. The pool's own `query` would close it at any failure, such as of an append whose key has landed before. */
async function onClient<T>(pool: PgPool, work: (client: PgClient) => Promise<T>): Promise<T> {
  let isBroken = false;
  // A broken connection emits an error besides what its statement throws.
  const onError = (): void => {
    isBroken = true;
  };
  const client = await connect(pool, onError);
  try {
    return await work(client);
  } catch (error) {
    isBroken ||= !keepsConnection(error);
    throw error;
  } finally {
    client.release(isBroken);
    client.removeListener("error", onError);
  }
}

/**
 * By callback: where pg makes a promise, V8 keeps each statement with its values until the next full collection. The heap
 * then grows several times as large.
 */
function ask(
  client: PgClient,
  statement: PgStatement,
): Promise<{ readonly rows: readonly unknown[] }> {
  return new Promise((resolve, reject) => {
    client.query(statement, (error, answer) => {
      if (error) reject(error);
      else resolve(answer);
    });
  });
}

function listen(
  pool: PgPool,
  channel: string,
  { onListening, onNotification, onLost }: OnChannel,
): () => void {
  let client: PgClient | null = null;
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    client?.release(true);
  };
  const lose = (): void => {
    if (isOver) return;
    end();
    onLost();
  };
  const begin = async (): Promise<void> => {
    const taken = await connect(pool, lose);
    if (isOver) {
      taken.release(true);
      return;
    }
    client = taken;
    taken.on("end", lose);
    taken.on("notification", (one) => {
      if (!isOver && one.channel === channel) onNotification(one.payload ?? "");
    });
    const late = setTimeout(lose, LISTEN_MS).unref();
    await taken.query(`LISTEN "${channel}"`).finally(() => clearTimeout(late));
    if (!isOver) onListening();
  };
  begin().catch(lose);
  return end;
}
