import type { Tables } from "../tables.ts";
import { appendToOneStatement } from "./append-to-one.ts";
import { takes } from "./append-columns.ts";

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
 * Locks the run for an append, if the run takes it. $1-$4 are those of `appendToOne`, $5 is the append's mark, and $6 whether to set it.
 * The lock comes in a statement of its own, so that the append sees all keys that landed before it. It would fail on a key that it does not
 * see, and a failed statement aborts the transaction.
 */
export function lockJoinedStatement({ runs }: Tables): string {
  return `
WITH mark AS MATERIALIZED (
  SELECT CASE WHEN $6::text = 'set' THEN ${setMarks(`${MARKS} || $5::text`)} ELSE ${isMarked("$5")} END AS "isHere"
), held AS MATERIALIZED (
  SELECT r.run_key FROM mark, ${runs} r
  WHERE mark."isHere" AND ${takes("$1", "$2::text", "$3::bigint", "$4::bigint")}
  FOR NO KEY UPDATE OF r
)
SELECT mark."isHere", EXISTS (SELECT FROM held) AS "isHeld" FROM mark`;
}

/** The `appendToOne` statement for a locked run: $14 is the append's mark, and $15 its key. */
export function appendJoinedStatement(tables: Tables): string {
  const landed = `SELECT FROM ${tables.events} k WHERE k.run_key = r.run_key AND k.idempotency_key = $15::text`;
  const unmarked = setMarks(`replace(${MARKS}, $14::text, '')`);
  return appendToOneStatement(
    tables,
    `${isMarked("$14")} AND NOT EXISTS (${landed})`,
    `, ${unmarked} AS "isUnmarked"`,
  );
}
