import type { ClaimInput, Length } from "../model/judge-lease.ts";
import type { RunName } from "@tm/run-events-core/store";
import type { AppendRequest, Appender } from "../core-calls.ts";
import { appendRequest, event } from "../append-request.ts";
import { show } from "../assert.ts";
import type { RaceAppend } from "./race.ts";

/** What a client was shown last of a run. */
export interface SeenRun {
  readonly lastSequence: number;
  /** The last fence that it was given or shown. */
  readonly fence: number;
}

/** A client that was shown nothing of the run. */
export const UNSEEN: SeenRun = { lastSequence: 0, fence: 0 };

/** A request of a race as the store gets it. @param nextName returns a payload that no other event has */
export function requestOf(
  { eventTypes, key, expected, by }: RaceAppend,
  name: RunName,
  { lastSequence, fence }: SeenRun,
  nextName: () => string,
): AppendRequest {
  // Events under a key have the same payload each time, so that a second append is a replay.
  const batch = eventTypes.map((eventType) => event(eventType, show(key ?? nextName())));
  return appendRequest(name.runId, batch, {
    ownerId: name.ownerId,
    idempotencyKey: key,
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
      return { by, fence };
  }
}

/** A claim without a worker's name. */
export function claimInput(claimKey: string | null, length: Length = "long"): ClaimInput {
  return { length, claimKey, worker: null };
}
