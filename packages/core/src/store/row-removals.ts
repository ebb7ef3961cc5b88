import { judgeDelete } from "../rules/plan-run.ts";
import type { RunRecord } from "../rules/run.ts";
import { after, type Answer, whileTrue } from "./answers.ts";
import type { RowWork } from "./row-moves.ts";
import type { DeleteOutcome, PurgeRequest } from "./store.ts";

/** What a deletion answers, and the heads to notify of. */
interface DeleteResult {
  readonly outcome: DeleteOutcome;
  readonly removed: readonly RunRecord[];
}

/** Removes a finished run. `write`. @see clause S17 in `STORE.md` */
export function deleteWork(runId: string, ownerId: string | null): RowWork<DeleteResult> {
  return (rows) =>
    after(rows.selectHeads([runId]), ([run = null]): Answer<DeleteResult> => {
      const refusal = judgeDelete(run, ownerId);
      if (run === null || refusal !== null) return { outcome: refusal ?? "not_found", removed: [] };
      return after(
        rows.deleteRuns([run.ordinal]),
        () => ({ outcome: "deleted", removed: [run] }) as const,
      );
    });
}

/** How often in a row a purge may find only runs that others have just removed. */
const FRUITLESS_TRIES = 100;
/** How many heads a purge locks and reads together: a head may be large. */
const PURGE_PIECE = 100;

/**
 * Removes the runs that finished first. They are chosen without a lock, and then locked in the same order as by appends. A run that
 * another purge has removed meanwhile is left out. `write`.
 * @param mostEvents a call ends with the run that reaches this many events, since other calls wait for it
 * @see clause S24 in `STORE.md`
 */
export function purgeWork(
  { finishedForMs, limit }: PurgeRequest,
  mostEvents: number,
): RowWork<readonly RunRecord[]> {
  return (rows) => {
    const removed: RunRecord[] = [];
    let eventsLeft = mostEvents;
    let fruitless = 0;

    function purgePiece(untilMs: number): Answer<boolean> {
      const most = Math.min(limit - removed.length, PURGE_PIECE);
      if (most === 0 || eventsLeft <= 0 || fruitless === FRUITLESS_TRIES) return false;
      return after(rows.selectDue("finishedAtMs", untilMs, most), (runIds) => {
        if (runIds.length === 0) return false;
        return after(rows.selectHeads(runIds.toSorted()), (heads) => {
          const piece = firstOf(runIds, heads, untilMs, eventsLeft);
          fruitless = piece.length === 0 ? fruitless + 1 : 0;
          for (const head of piece) {
            removed.push(head);
            eventsLeft -= head.lastSequence;
          }
          if (piece.length === 0) return true;
          return after(rows.deleteRuns(piece.map(({ ordinal }) => ordinal)), () => true);
        });
      });
    }

    return after(rows.now(), (nowMs) =>
      after(
        whileTrue(() => purgePiece(nowMs - finishedForMs)),
        () => removed,
      ),
    );
  };
}

/** The heads that are still old, in the order of the ids, up to the one that reaches this many events. */
function firstOf(
  runIds: readonly string[],
  heads: readonly RunRecord[],
  untilMs: number,
  mostEvents: number,
): readonly RunRecord[] {
  const byId = new Map(heads.map((head) => [head.runId, head]));
  const first: RunRecord[] = [];
  let events = 0;
  for (const runId of runIds) {
    const head = byId.get(runId);
    if (head === undefined || head.finishedAtMs === null || head.finishedAtMs > untilMs) continue;
    if (events >= mostEvents) break;
    first.push(head);
    events += head.lastSequence;
  }
  return first;
}
