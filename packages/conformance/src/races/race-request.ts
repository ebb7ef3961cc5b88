import type { RunName } from "@tm/run-events-core/store";
import { event } from "../append-request.ts";
import { show } from "../assert.ts";
import type { Appender, AppendRequest } from "../core-calls.ts";
import type { ClaimInput } from "../model/judge-lease.ts";
import type { RaceAppend, RaceClaim } from "./race.ts";

/** The last state of a run that a client was shown. */
export interface SeenRun {
  readonly name: RunName | null;
  readonly lastSequence: number;
  /** The last fence that it was given or shown. */
  readonly fence: number;
  /** The one before that, also if it was of a deleted run with the same name; -1 if there was none. */
  readonly former: number;
}

/** A client that was shown nothing of the run. */
export const UNSEEN: SeenRun = { name: null, lastSequence: 0, fence: 0, former: -1 };

/** A key as it is sent. @param nextName returns a name that nothing else has */
function keyOf(key: string | null, nextName: () => string): string | null {
  return key === "own" ? nextName() : key;
}

/** A request of a race as the store gets it. @param nextName returns a payload that no other event has */
export function requestOf(
  { eventTypes, batch, key, expected, by }: RaceAppend,
  name: RunName,
  seen: SeenRun,
  nextName: () => string,
): AppendRequest & RunName {
  const idempotencyKey = keyOf(key, nextName);
  // Events under a key have the same payload each time, so that a second append is a replay.
  const made = eventTypes.map((eventType) => {
    const text = show(idempotencyKey ?? nextName());
    return event(eventType, eventType === "PHASE_STARTED" ? `{"phase":${text}}` : text);
  });
  return {
    ...name,
    events: batch ?? made,
    idempotencyKey,
    expectedSequence: expected === "seen" ? seen.lastSequence : expected,
    appender: appenderOf(by, seen),
  };
}

function appenderOf(by: RaceAppend["by"], { fence, former }: SeenRun): Appender {
  if (by === "late") return { by: "worker", fence: former };
  if (by !== "worker") return { by };
  // A process that was never shown a fence appends without one.
  return fence === 0 ? { by: "anybody" } : { by, fence };
}

/** A claim as the store gets it. */
export function claimInput(
  { claimKey, length, worker = null }: RaceClaim,
  nextName: () => string,
): ClaimInput {
  return { length, claimKey: keyOf(claimKey, nextName), worker };
}
