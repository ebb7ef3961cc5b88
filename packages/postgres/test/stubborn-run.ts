import type { PostgresQueryable } from "../src/index.ts";

/** Makes a run's row stay as it is under any update. */
export async function refuseUpdates(
  pool: PostgresQueryable,
  schema: string,
  runId: string,
): Promise<null> {
  await pool.query(`CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF OLD.run_id = ''${runId}'' THEN RETURN NULL; END IF; RETURN NEW; END'`);
  await pool.query(`CREATE TRIGGER refuse BEFORE UPDATE ON ${schema}.runs
    FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse()`);
  return null;
}
