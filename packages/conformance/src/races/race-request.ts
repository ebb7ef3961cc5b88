import type { RunName } from "@tm/run-events-core/store";
import { event } from "../append-request.ts";
import { show } from "../assert.ts";
import type { Appender, AppendRequest } from "../core-calls.ts";
import { LISTED_OWNER, type RaceAppend, type RaceFence, type RaceRun } from "./race.ts";

/** The last state of a run that a client was shown. */
export interface SeenRun {
  readonly lastSequence: number;
  /** The last fence that it was given or shown. */
  readonly fence: number;
  /** The one before that, also if it was of a deleted run with the same name; -1 if there was none. */
  readonly former: number;
}

/** A client as its calls see it. */
export interface Caller {
  /** The ids of all runs, as the store knows them. */
  readonly runIds: readonly string[];
  /** Whether a driver may send a call again by itself. */
  readonly mayRepeat: boolean;
  /** A name as the store knows it. */
  readonly own: (name: string) => string;
  /** A name that nothing else has. */
  readonly nextName: () => string;
  readonly seenOf: (name: RunName) => SeenRun;
}

/** A run as the store knows it. */
export function nameOf({ own }: Pick<Caller, "own">, run: RaceRun): RunName {
  return { ownerId: own(run.ownerId ?? LISTED_OWNER), runId: own(run.runId) };
}

/** The fence that a step names. */
export function fenceOf(
  { fence: which = "last" }: RaceFence,
  name: RunName,
  caller: Caller,
): number {
  const { fence, former } = caller.seenOf(name);
  return { last: fence, late: former, next: fence + 1 }[which];
}

/** A key as it is sent. */
export function keyOf(key: string | null, { nextName }: Caller): string | null {
  return key === "own" ? nextName() : key;
}

/** A request of a race as the store gets it. */
export function requestOf(
  { eventTypes, batch, key, expected, by, ...run }: RaceAppend,
  caller: Caller,
): AppendRequest & RunName {
  const name = nameOf(caller, run);
  const seen = caller.seenOf(name);
  // As core does where a command may be sent twice: without a key it could land twice.
  const idempotencyKey = keyOf(key ?? (caller.mayRepeat ? "own" : null), caller);
  // Events under a key have the same payload each time, so that a second append is a replay.
  const made = eventTypes.map((eventType) => {
    const text = show(idempotencyKey ?? caller.nextName());
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
