import { setTimeout } from "node:timers/promises";
import pg from "pg";

const LOOK_MS = 20;

/**
 * How many transactions a database has committed since it was made, once all its connections are gone: what they did they
 * say last.
 * @param admin the url of another database
 */
export async function countCommits(database: string, admin: string): Promise<number> {
  const client = new pg.Client(admin);
  await client.connect();
  try {
    for (;;) {
      const { rows } = await client.query<{
        readonly connections: number;
        readonly committed: number;
      }>(
        "SELECT numbackends AS connections, xact_commit::int AS committed FROM pg_stat_database WHERE datname = $1",
        [database],
      );
      const [row] = rows;
      if (row?.connections === 0) return row.committed;
      await setTimeout(LOOK_MS);
    }
  } finally {
    await client.end();
  }
}
