import type { Position } from "../follow/slice.ts";
import { isTerminal, type RunState } from "../rules/lifecycle.ts";
import { encodeConnected, encodeFrames } from "../wire/frame.ts";

/**
 * The `connected` frame of a run whose reader starts at this position.
 * @param random 0 to 1, for the jitter of `retry:`; `null` on a stream of many runs
 * @see clauses W22, W23 and W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeOpening(
  runId: string,
  position: Position,
  lastSequence: number,
  random: number | null,
): Uint8Array {
  const connected = encodeConnected({
    runId,
    since: position.sequence,
    state: stateBeforeEnd(position),
    lastSequence,
    retryMs: random === null ? null : openingRetry(random),
  });
  return encodeFrames([connected]);
}

/** A state for frames that come before `run_finished`. Only that frame may say that the run has ended. */
export function stateBeforeEnd({ runStatus, phase }: RunState): RunState {
  return { runStatus: isTerminal(runStatus) ? "running" : runStatus, phase };
}

/**
 * The `retry:` of the first frame of a stream, in milliseconds.
 * @param random 0 to 1, for its jitter
 * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
 */
export function openingRetry(random: number): number {
  return 2_000 + Math.floor(random * 3_001);
}
