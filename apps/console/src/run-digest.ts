import { isTerminal, type RunEvent, statusAfter } from "@tm/run-events-core";

/** One phase of a run. */
export interface Phase {
  readonly name: string;
  /** The event that began it. */
  readonly sequence: number;
  /** On the server's clock, in milliseconds since 1970. */
  readonly startedAtMs: number;
  /** When the next one began or the run ended; `null` while it goes on. */
  readonly endedAtMs: number | null;
}

/** What a run's events come to. */
export interface RunDigest {
  /** In order. A phase that is begun again stands again. @see W6 */
  readonly phases: readonly Phase[];
  /** How many events there are of each type, in the order in which the types came. */
  readonly typeCounts: ReadonlyMap<string, number>;
}

/**
 * Digests a run's events as they come, each once: what is asked again with more events goes on from where it was.
 * @returns takes all events so far, of the same run each time. The same digest again while there are no more.
 */
export function createRunDigest(): (events: readonly RunEvent[]) => RunDigest {
  let phases: readonly Phase[] = [];
  const counts = new Map<string, number>();
  let taken = 0;
  let digest: RunDigest = { phases, typeCounts: new Map() };

  return (events) => {
    if (events.length === taken) return digest;
    for (const event of events.slice(taken)) {
      counts.set(event.eventType, (counts.get(event.eventType) ?? 0) + 1);
      phases = advancePhases(phases, event);
    }
    taken = events.length;
    digest = { phases, typeCounts: new Map(counts) };
    return digest;
  };
}

function advancePhases(phases: readonly Phase[], event: RunEvent): readonly Phase[] {
  const name = phaseOf(event);
  const isEnd = isTerminal(statusAfter(event.eventType));
  if (name === null && !isEnd) return phases;
  const atMs = Date.parse(event.createdAt);
  const past = phases.map((phase) =>
    phase.endedAtMs === null ? { ...phase, endedAtMs: atMs } : phase,
  );
  if (name === null) return past;
  return [...past, { name, sequence: event.sequence, startedAtMs: atMs, endedAtMs: null }];
}

/** The phase that an event begins; `null` if it begins none. @see W6 */
function phaseOf({ eventType, payload }: RunEvent): string | null {
  if (eventType !== "PHASE_STARTED" || typeof payload !== "object" || payload === null) return null;
  const { phase } = payload as { readonly phase?: unknown };
  return typeof phase === "string" ? phase : null;
}
