import type { CreateOutcome, CreateRunRequest } from "../rules/creation.ts";
import { RunEventsError } from "../rules/errors.ts";
import { claimRule } from "../rules/plan-lease.ts";
import {
  claimOfCreate,
  judgeCreate,
  newRun,
  outcomeOfClaim,
  placeQuery,
  topicBusy,
} from "../rules/plan-run.ts";
import { after, type Answer } from "./answers.ts";
import { leaseRow, saveLease } from "./lease-work.ts";
import type { RowMoves, RowWork } from "./row-moves.ts";

/** How often in a row a run may be neither created nor found, since others create and remove it in between. */
const FRUITLESS_TRIES = 100;

/** Creates a run unless its id is in use, and claims it if asked to. `write`. @see clauses S16, S25 and S26 in `STORE.md` */
export function createWork(request: CreateRunRequest): RowWork<CreateOutcome> {
  const claim = claimOfCreate(request);
  const place = placeQuery(request);

  function tryOnce(rows: RowMoves, tries: number): Answer<CreateOutcome> {
    if (tries === FRUITLESS_TRIES) {
      throw new RunEventsError(
        "store_unavailable",
        "Expected the run to be created or found, but its id was in use at every try, and no row of it was seen. Check what hides rows from this user.",
      );
    }
    return after(rows.selectHeads([request.runId]), ([existing = null]) => {
      const judged = judgeCreate(existing, request);
      if (judged?.outcome === "existing" && claim !== null) {
        return after(leaseRow(rows, existing, claimRule(claim)), outcomeOfClaim);
      }
      if (judged !== null) return judged;
      return after(rows.now(), (nowMs) =>
        after(place === null ? [] : rows.selectOwned(place), ([holder]) => {
          if (holder === undefined) return insertOnce(rows, tries, nowMs);
          // Another transaction may have created this very run since its head was looked for.
          return holder.runId === request.runId ? tryOnce(rows, tries + 1) : topicBusy(holder);
        }),
      );
    });
  }

  function insertOnce(rows: RowMoves, tries: number, nowMs: number): Answer<CreateOutcome> {
    const run = newRun(request, nowMs);
    return after(rows.insertRun(run, place !== null), (ordinal): Answer<CreateOutcome> => {
      if (ordinal === null) return tryOnce(rows, tries + 1);
      const made = { ...run, ordinal };
      if (claim === null) return { outcome: "created", run: made };
      const head = { ...made, keptClaim: null };
      return after(saveLease(rows, head, claimRule(claim)(head, nowMs)), (outcome) => ({
        outcome: "created",
        run: outcome.outcome === "granted" ? outcome.run : made,
      }));
    });
  }

  return (rows) => tryOnce(rows, 0);
}
