import { isTerminal, type RunState } from "./lifecycle.ts";

/** The state of a run, and the last sequence of its log, as one read found them. */
export interface HeadState extends RunState {
  readonly lastSequence: number;
}

/**
 * The state that a reader may see who has the log up to a sequence. Before the end of the log, a run that has ended or waits reads as
 * `running`: a reader who stops at a terminal status would miss the last events, and a question could be shown that has been answered since.
 * @param reached the last sequence that the reader has
 * @see clauses W16 and W23 in `WIRE.md` of `@tm/run-events-http`
 */
export function shownState(
  { runStatus, phase, lastSequence }: HeadState,
  reached: number,
): RunState {
  const isShown = reached >= lastSequence || runStatus === "queued";
  return { runStatus: isShown ? runStatus : "running", phase };
}

/**
 * The state that a stream may send before `run_finished`: only that frame may say that the run has ended. A store that loses the end of its log
 * may have a shorter one than the reader.
 */
export function standingState(head: HeadState, reached: number): HeadState {
  const { runStatus, phase } = shownState(head, reached);
  const lastSequence = Math.max(head.lastSequence, reached);
  return { runStatus: isTerminal(runStatus) ? "running" : runStatus, phase, lastSequence };
}
