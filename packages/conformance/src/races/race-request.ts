import type { RunName } from "@tm/run-events-core/store";
import { appendRequest, event } from "../append-request.ts";
import { show } from "../assert.ts";
import type { Appender, AppendRequest } from "../core-calls.ts";
import type { ClaimInput } from "../model/judge-lease.ts";
import type { RaceAppend, RaceClaim } from "./race.ts";

/** The last state of a run that a client was shown. */
export interface SeenRun {
  readonly lastSequence: number;
  /** The last fence that it was given or shown. */
  readonly fence: number;
}

/** A client that was shown nothing of the run. */
export const UNSEEN: SeenRun = { lastSequence: 0, fence: 0 };

/** A key as it is sent. @param nextName returns a name that nothing else has */
function keyOf(key: string | null, nextName: () => string): string | null {
  return key === "own" ? nextName() : key;
}

/** A request of a race as the store gets it. @param nextName returns a payload that no other event has */
export function requestOf(
  { eventTypes, key, expected, by }: RaceAppend,
  name: RunName,
  { lastSequence, fence }: SeenRun,
  nextName: () => string,
): AppendRequest {
  const idempotencyKey = keyOf(key, nextName);
  // Events under a key have the same payload each time, so that a second append is a replay.
  const batch = eventTypes.map((eventType) => {
    const text = show(idempotencyKey ?? nextName());
    return event(eventType, eventType === "PHASE_STARTED" ? `{"phase":${text}}` : text);
  });
  return appendRequest(name.runId, batch, {
    ownerId: name.ownerId,
    idempotencyKey,
    expectedSequence: expected === "seen" ? lastSequence : expected,
    appender: appenderOf(by, fence),
  });
}

function appenderOf(by: RaceAppend["by"], fence: number): Appender {
  switch (by) {
    case "anybody":
    case "owner":
    case "input":
      return { by };
    case "worker":
      // A process that was never shown a fence appends without one.
      return fence === 0 ? { by: "anybody" } : { by, fence };
  }
}

/** A claim without a worker's name. */
export function claimInput({ claimKey, length }: RaceClaim, nextName: () => string): ClaimInput {
  return { length, claimKey: keyOf(claimKey, nextName), worker: null };
}
