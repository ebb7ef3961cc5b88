import { isTerminal, type RunState } from "../rules/lifecycle.ts";
import { type HeadState, shownState } from "../rules/shown-state.ts";
import { encodeConnected, encodeFrames } from "../wire/frame.ts";

/**
 * The `connected` frame of a run.
 * @param since the cursor at which its reader starts
 * @param state as from `stateBeforeEnd`
 * @param random 0 to 1, for the jitter of `retry:`; `null` on a stream of many runs
 * @see clauses W22, W23 and W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeOpening(
  runId: string,
  since: number,
  state: HeadState,
  random: number | null,
): Uint8Array {
  const retryMs = random === null ? null : openingRetry(random);
  const { lastSequence } = state;
  return encodeFrames([encodeConnected({ runId, since, state, lastSequence, retryMs })]);
}

/**
 * The state for a frame that comes before `run_finished`. Only that frame may say that the run has ended.
 * @param reached the last sequence that the reader has
 */
export function stateBeforeEnd(head: HeadState, reached: number): RunState {
  const state = shownState(head, reached);
  return isTerminal(state.runStatus) ? { ...state, runStatus: "running" } : state;
}

/**
 * The `retry:` of the first frame of a stream, in milliseconds.
 * @param random 0 to 1, for its jitter
 * @see clause W22 in `WIRE.md` of `@tm/run-events-http`
 */
export function openingRetry(random: number): number {
  return 2_000 + Math.floor(random * 3_001);
}
