import type pg from "pg";

/** The sessions of an application that listen. */
export async function listeningOf(pool: pg.Pool, application: string): Promise<readonly number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE lower(query) LIKE 'listen %' AND application_name = $1",
    [application],
  );
  return rows.map(({ pid }) => pid);
}

/** Ends sessions, and resolves when they are gone. */
export async function terminate(pool: pg.Pool, pids: readonly number[]): Promise<void> {
  await pool.query("SELECT pg_terminate_backend(pid, 10000) FROM unnest($1::int[]) AS s (pid)", [
    pids,
  ]);
}

/** Ends every session of an application, but for the one that asks. */
export async function terminateAll(pool: pg.Pool, application: string): Promise<void> {
  await pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
    [application],
  );
}
