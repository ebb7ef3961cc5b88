import type { RunEvents, WorkedRun } from "@tm/run-events-core";
import { codeOf, isAway, MINE, pauseBetweenAttempts, payloadOf, type Play } from "./play.ts";

/** Events of one turn at most, before another worker may have the run. */
const MOST_EMITTED = 12;

/**
 * Works on a run in turns with other workers, and ends it when the play is over. A turn emits some events, appends one after
 * them and releases the run: what was emitted before an append that is acknowledged has landed.
 */
export async function workInTurns(play: Play, runs: RunEvents, runId: string): Promise<void> {
  for (;;) {
    const shutdown = new AbortController();
    const leaseEndsAt = performance.now() + play.leaseMs;
    const options = { ...MINE, leaseMs: play.leaseMs, signal: shutdown.signal };
    try {
      await runs.work(runId, options, async (run) => {
        play.claims.push({ runId, fence: run.fence });
        await writeOneTurn(play, run, leaseEndsAt);
        if (play.isOver()) return;
        shutdown.abort(new TurnOver());
        throw new TurnOver();
      });
      return;
    } catch (error) {
      if (!(error instanceof TurnOver) && hasEnded(error)) return;
    }
    await pauseBetweenAttempts();
  }
}

class TurnOver extends Error {}

/** Another worker has ended the run. All else passes: the store is away, or another worker has the run or got it meanwhile. */
function hasEnded(error: unknown): boolean {
  return codeOf(error) === "run_finished";
}

/** @param leaseEndsAt the earliest time at which its lease can have expired, by `performance.now` */
async function writeOneTurn(play: Play, run: WorkedRun, leaseEndsAt: number): Promise<void> {
  const { runId, fence } = run;
  const values = Array.from({ length: 1 + play.random.below(MOST_EMITTED) }, play.nextValue);
  const last = play.nextValue();
  try {
    for (const value of values) await run.emit("TOKEN", payloadOf(value, fence));
    const receipt = await run.append([{ eventType: "TOKEN", payload: payloadOf(last, fence) }]);
    for (const value of values) note(value, null);
    note(last, receipt.lastSequence);
  } catch (error) {
    const code = codeOf(error);
    // A lease that may have expired while the store was away is lost rightly.
    const isLost = isAway(error) || (code === "fenced" && performance.now() >= leaseEndsAt);
    for (const value of [...values, last]) {
      play.attempts.push({
        runId,
        value,
        idempotencyKey: null,
        outcome: isLost ? { is: "in doubt" } : { is: "refused", code },
      });
    }
    throw error;
  }

  function note(value: string, sequence: number | null): void {
    play.attempts.push({
      runId,
      value,
      idempotencyKey: null,
      outcome: { is: "landed", sequence },
    });
  }
}
