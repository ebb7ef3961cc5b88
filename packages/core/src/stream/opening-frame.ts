import type { Position } from "../follow/slice.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { encodeConnected, encodeFrames } from "../wire/frame.ts";

/**
 * The `connected` frame of a stream that starts at this position.
 * @param random 0 to 1, for the jitter of `retry:`
 * @see clauses W22 and W23 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeOpening(
  runId: string,
  { sequence, runStatus, phase }: Position,
  lastSequence: number,
  random: number,
): Uint8Array {
  const connected = encodeConnected({
    runId,
    since: sequence,
    // Only `run_finished` may say that the run has ended.
    state: { runStatus: isTerminal(runStatus) ? "running" : runStatus, phase },
    lastSequence,
    retryMs: 2_000 + Math.floor(random * 3_001),
  });
  return encodeFrames([connected]);
}
