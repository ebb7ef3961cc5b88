import type { Tables } from "../tables.ts";
import { saveStatement } from "./commit.ts";
import { seeStatement } from "./see.ts";

/**
 * The marks of the appends under way in the transaction: a setting that is local to it. A mark disappears when the transaction ends, and
 * when it rolls back to a savepoint from before the mark. A transaction id could not show the latter, and not every engine has one. An
 * append takes its mark out when it lands, so that the setting stays short in a transaction of many appends.
 */
const NAME = "'run_events.joined'";
const MARKS = `coalesce(current_setting(${NAME}, true), '')`;

/** SQL: sets the marks. Its value is always true. */
function setMarks(marks: string): string {
  return `set_config(${NAME}, ${marks}, true) IS NOT NULL`;
}

/** SQL: whether the statement runs in the transaction in which the append set its mark. */
function isMarked(mark: string): string {
  return `strpos(${MARKS}, ${mark}::text) > 0`;
}

/**
 * Locks the run for an append, and sets the append's mark. $1 the owner, $2 the id, $3 the mark. The lock comes in a statement of its own, so
 * that the append sees all keys that landed before it. It would fail on a key that it does not see, and a failed statement aborts the
 * transaction.
 */
export function lockJoinedStatement({ runs }: Tables): string {
  return `
WITH mark AS MATERIALIZED (SELECT ${setMarks(`${MARKS} || $3::text`)} AS is_set), held AS MATERIALIZED (
  SELECT r.run_key FROM ${runs} r WHERE r.owner_id = $1::text AND r.run_id = $2::text FOR NO KEY UPDATE OF r
)
SELECT FROM mark LEFT JOIN held ON mark.is_set`;
}

/** The `see` statement of a locked run, in the transaction of the mark $6. */
export function seeJoinedStatement(tables: Tables): string {
  return seeStatement(tables, isMarked("$6"));
}

/** The `save` statement of a locked run. $9 is the append's mark. */
export function saveJoinedStatement(tables: Tables): string {
  const unmarked = setMarks(`replace(${MARKS}, $9::text, '')`);
  return saveStatement(tables, isMarked("$9"), `, ${unmarked} AS "isUnmarked"`);
}
