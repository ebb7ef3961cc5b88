import type { ReadQuery, ReadResult } from "../rules/page.ts";
import { type HeadRow, recordOf } from "../rules/plan-lease.ts";
import { planRead } from "../rules/plan-run.ts";
import { after, type Answer, inTurn } from "./answers.ts";
import type { RowMoves, RowWork } from "./row-moves.ts";
import { ascending } from "./row-transactions.ts";

/** Reads heads and pages as of one instant. `snapshot`. @see clauses S9, S12 and S30 in `STORE.md` */
export function readWork(queries: readonly ReadQuery[]): RowWork<readonly (ReadResult | null)[]> {
  return (rows) =>
    after(rows.selectHeads(ascending(queries)), (heads) => {
      const byId = new Map(heads.map((head) => [head.runId, head]));
      return inTurn(queries, (query) => readOne(rows, byId.get(query.runId) ?? null, query));
    });
}

function readOne(
  rows: RowMoves,
  head: HeadRow | null,
  query: ReadQuery,
): Answer<ReadResult | null> {
  const plan = planRead(head, query);
  if (head === null || plan === null) return null;
  const { ordinal } = head;
  const { since } = query;
  const run = recordOf(head);
  return after(plan.wantsEvents ? rows.selectEvents(ordinal, query) : [], (events) => {
    if (query.withTime !== true) return { run, events };
    return after(
      plan.timeAtSinceMs === undefined ? selectTime(rows, ordinal, since) : plan.timeAtSinceMs,
      (timeAtSinceMs) => ({ run, events, timeAtSinceMs }),
    );
  });
}

/** The time of an event; `null` if it is not there. */
function selectTime(rows: RowMoves, ordinal: number, sequence: number): Answer<number | null> {
  const page = { since: sequence - 1, limit: 1, maxBytes: 1 };
  return after(rows.selectEvents(ordinal, page), ([event]) =>
    event?.sequence === sequence ? event.createdAtMs : null,
  );
}
