import { runFenced, runFinished } from "../rules/errors.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import { isFinished, runParked } from "./work-failures.ts";

/** The state of a worker. In the last four the work is over: the worker writes no more, for the reason in the state. */
export type WorkState =
  | { readonly at: "working" | "ending" }
  | { readonly at: "ended" | "lost" | "parked" | "left"; readonly reason: unknown };

/** An event that may change a worker's state. */
export type WorkEvent =
  /** An append was sent. */
  | { readonly type: "sent"; readonly isEnd: boolean }
  /** An append landed. */
  | { readonly type: "landed"; readonly receipt: AppendReceipt }
  /** An append is not sent again. */
  | { readonly type: "gave_up" }
  /** The answer to an append is that the worker may not write to the run, or that the log has lost its end. */
  | { readonly type: "refused"; readonly reason: unknown }
  /** The same, found without an append: by a check of the run, by a renewal, or by the lease's end. */
  | { readonly type: "found"; readonly reason: unknown }
  /** The run was released, and goes on later. */
  | { readonly type: "parked" }
  /** The task and all its appends are over. */
  | { readonly type: "left" };

/** The state of a worker that has claimed its run. */
export const WORKING: WorkState = { at: "working" };
const ENDING: WorkState = { at: "ending" };

/** The state after each event, unless the work is over. */
const STEPS: { readonly [Type in WorkEvent["type"]]: Step<Type> } = {
  sent: (state, { isEnd }) => (isEnd ? ENDING : state),
  landed: (_, { receipt: { runStatus, lastSequence } }) =>
    isTerminal(runStatus) ? { at: "ended", reason: runFinished(runStatus, lastSequence) } : WORKING,
  gave_up: () => WORKING,
  found: (state, { reason }) =>
    state.at === "ending" && isFinished(reason) ? state : { at: "lost", reason },
  refused: (_, { reason }) => ({ at: "lost", reason }),
  parked: () => ({ at: "parked", reason: runParked() }),
  left: () => ({ at: "left", reason: runFenced() }),
};

type Step<Type> = (
  state: WorkState,
  event: Extract<WorkEvent, { readonly type: Type }>,
) => WorkState;

/**
 * The state of a worker after an event. One append is under way at a time.
 *
 * | state        | event                          | next     | why                                                          |
 * | ------------ | ------------------------------ | -------- | ------------------------------------------------------------ |
 * | working      | sent, with an end              | ending   | from now on the run may be found ended by its own append     |
 * | ending       | gave up                        | working  | no answer is expected any more                               |
 * | ending       | found that the run has ended   | ending   | that end may be its own: the answer to the append decides    |
 * | any but over | landed, with an end            | ended    | the worker has ended the run                                 |
 * | any but over | landed, without one            | working  |                                                              |
 * | any but over | refused; found (but see above) | lost     | another worker has the run, or it has ended or was deleted   |
 * | any but over | parked                         | parked   | the run waits for an input, and goes on under another claim  |
 * | any but over | left                           | left     | the run is for another worker, or for a reaper               |
 * | the last four | any                           | the same | the first reason stays                                       |
 *
 * All other events leave the state as it is.
 */
export function advanceWork(state: WorkState, event: WorkEvent): WorkState {
  const step = STEPS[event.type] as Step<WorkEvent["type"]>;
  return "reason" in state ? state : step(state, event);
}
