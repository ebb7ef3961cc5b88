import { isTerminal, type RunEvent } from "@tm/run-events-core";
import { changeBy, escapeText } from "@tm/run-events-core/wire";

/** The type of the events that begin a phase. @see clause W6 in `WIRE.md` */
export const PHASE_STARTED = "PHASE_STARTED";

/** One phase of a run. */
export interface Phase {
  /** The phase's name, with invisible characters escaped. */
  readonly name: string;
  /** The sequence of the event that began the phase. */
  readonly sequence: number;
  /** On the server's clock, in milliseconds since 1970. */
  readonly startedAtMs: number;
  /** The time at which the next phase began or the run ended; `null` while the phase continues. */
  readonly endedAtMs: number | null;
}

/** The phases and the types of a run's events. */
export interface RunDigest {
  /** In order. A phase that begins again is another entry. @see clause W6 in `WIRE.md` */
  readonly phases: readonly Phase[];
  /** The number of events of each type, in the order in which the types came. */
  readonly typeCounts: ReadonlyMap<string, number>;
}

/**
 * Creates a function that digests a run's events as they come, each once.
 * @returns a function of all events so far, of the same run each time. Without new events it returns the same digest
 */
export function createRunDigest(): (events: readonly RunEvent[]) => RunDigest {
  const phases: Phase[] = [];
  const counts = new Map<string, number>();
  let taken = 0;
  let digest: RunDigest = { phases: [], typeCounts: new Map() };

  return (events) => {
    if (events.length === taken) return digest;
    let areNew = false;
    for (const event of events.slice(taken)) {
      counts.set(event.eventType, (counts.get(event.eventType) ?? 0) + 1);
      areNew = advancePhases(phases, event) || areNew;
    }
    taken = events.length;
    digest = {
      phases: areNew ? [...phases] : digest.phases,
      typeCounts: new Map(counts),
    };
    return digest;
  };
}

/**
 * Adds an event to the phases, of which only the last can be open.
 * @returns whether the phases have changed
 */
function advancePhases(phases: Phase[], { sequence, ...event }: RunEvent): boolean {
  const name = phaseOf(event);
  if (name === null && !isTerminal(changeBy(event.eventType))) return false;
  const atMs = Date.parse(event.createdAt);
  const last = phases.pop();
  if (last !== undefined) phases.push({ ...last, endedAtMs: last.endedAtMs ?? atMs });
  if (name !== null) phases.push({ name, sequence, startedAtMs: atMs, endedAtMs: null });
  return true;
}

/** The phase that an event begins; `null` for any other event. @see clause W6 in `WIRE.md` */
function phaseOf({ eventType, payload }: Omit<RunEvent, "sequence">): string | null {
  if (eventType !== PHASE_STARTED || typeof payload !== "object" || payload === null) return null;
  const { phase } = payload as { readonly phase?: unknown };
  return typeof phase === "string" ? escapeText(phase) : null;
}
