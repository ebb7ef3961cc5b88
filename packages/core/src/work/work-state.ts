import { runFenced, runFinished } from "../rules/errors.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import { isFinished } from "./work-failures.ts";

/** Where a worker is with its run. The last three are over: nothing is written any more, for this reason. */
export type WorkState =
  | { readonly at: "claimed" | "working" | "ending" | "doubtful" }
  | { readonly at: "ended" | "lost" | "left"; readonly reason: unknown };

/** What happens to a worker. */
export type WorkEvent =
  /** The first look at the run is over, and the task begins. */
  | { readonly type: "started" }
  /** An append is sent; whether it ends the run. */
  | { readonly type: "sent"; readonly isEnd: boolean }
  | { readonly type: "landed"; readonly receipt: AppendReceipt }
  /** It failed; whether it may have landed. It may be sent again. */
  | { readonly type: "failed"; readonly isInDoubt: boolean }
  /** It is not sent again. */
  | { readonly type: "gave_up" }
  /** The answer to an append says that the run is not the worker's to write. */
  | { readonly type: "refused"; readonly reason: unknown }
  /** The same, found out beside the appends: by a look at the run, by a renewal, or by the lease's own end. */
  | { readonly type: "found"; readonly reason: unknown }
  /** The task and all that it gave are over. */
  | { readonly type: "left" };

/** A worker that has the run from here on. */
export const CLAIMED: WorkState = { at: "claimed" };
const WORKING: WorkState = { at: "working" };

/**
 * What an event makes of a worker's state. One append is under way at a time.
 *
 * | state             | event                             | next     | why                                                           |
 * | ----------------- | --------------------------------- | -------- | ------------------------------------------------------------- |
 * | claimed           | started                           | working  |                                                               |
 * | claimed, working  | sent, with an end                 | ending   | to find the run ended is no news from now on                  |
 * | ending            | failed, not in doubt              | working  | it has not landed                                             |
 * | ending            | failed, in doubt                  | doubtful | it may have landed                                            |
 * | doubtful          | sent, failed                      | doubtful | what fails for sure later says nothing of the first sending   |
 * | ending, doubtful  | gave up                           | working  | nobody waits for an answer any more                           |
 * | ending, doubtful  | found that the run has ended      | the same | that end may be its own: the answer to the append will tell   |
 * | any but over      | landed, with an end               | ended    | the worker has ended the run                                  |
 * | any but over      | landed, without one               | working  |                                                               |
 * | any but over      | refused; found (but as above)     | lost     | the run is somebody else's, has ended, or is gone             |
 * | any but over      | left                              | left     | the run is for another worker, or for a reaper                |
 * | ended, lost, left | any                               | the same | the first reason stays                                        |
 *
 * All other events leave the state as it is.
 */
export function advanceWork(state: WorkState, event: WorkEvent): WorkState {
  if ("reason" in state) return state;
  switch (event.type) {
    case "started":
      return state.at === "claimed" ? WORKING : state;
    case "sent":
      return event.isEnd && !isEnding(state) ? { at: "ending" } : state;
    case "landed":
      return afterLanding(event.receipt);
    case "failed":
      return afterFailure(state, event.isInDoubt);
    case "gave_up":
      return isEnding(state) ? WORKING : state;
    case "found":
      return afterNews(state, event.reason);
    case "refused":
      return lostFor(event.reason);
    case "left":
      return { at: "left", reason: runFenced() };
  }
}

/** Whether an append that ends the run is under way. */
function isEnding({ at }: WorkState): boolean {
  return at === "ending" || at === "doubtful";
}

function lostFor(reason: unknown): WorkState {
  return { at: "lost", reason };
}

function afterLanding({ runStatus, lastSequence }: AppendReceipt): WorkState {
  return isTerminal(runStatus)
    ? { at: "ended", reason: runFinished(runStatus, lastSequence) }
    : WORKING;
}

function afterNews(state: WorkState, reason: unknown): WorkState {
  return isEnding(state) && isFinished(reason) ? state : lostFor(reason);
}

function afterFailure(state: WorkState, isInDoubt: boolean): WorkState {
  if (state.at !== "ending") return state;
  return isInDoubt ? { at: "doubtful" } : WORKING;
}
