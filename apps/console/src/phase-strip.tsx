import type { RunStatus } from "@tm/run-events-core";
import { type ReactNode, useEffect } from "react";
import { formatCount, formatSpan } from "./format-time.ts";
import type { Phase } from "./run-digest.ts";
import { useRoving } from "./use-roving.ts";
import { useNow } from "./use-now.ts";

/** The interval at which the shown time of the current phase is updated, in milliseconds. */
const TICK_MS = 1_000;
/** Every phase is drawn this much longer, in milliseconds, so that even the shortest can be clicked. */
const LEAST_MS = 400;

/** The most phases in the strip: the newest. */
const MOST_PHASES = 100;

/** A run's phases. Each is as wide as it was long, and a click leads to its first event. */
export function PhaseStrip({
  phases,
  status,
  onJump,
  onEarlier,
}: {
  readonly phases: readonly Phase[];
  readonly status: RunStatus | null;
  readonly onJump: (sequence: number) => void;
  /** Shows the phases that are not in the strip. */
  readonly onEarlier: () => void;
}): ReactNode {
  const isLive = phases.at(-1)?.endedAtMs === null;
  const now = useNow(isLive ? TICK_MS : null);
  const { ref: strip, ...keys } = useRoving<HTMLOListElement>("last");
  useEffect(() => {
    const { current } = strip;
    if (current !== null) current.scrollLeft = current.scrollWidth;
  }, [phases, strip]);
  const earlier = Math.max(0, phases.length - MOST_PHASES);
  if (phases.length === 0) return null;
  return (
    <ol ref={strip} className="phases" aria-label="Phases" {...keys}>
      {earlier > 0 && (
        <li className="completed">
          <button type="button" onClick={onEarlier}>
            {formatCount(earlier)} earlier
          </button>
        </li>
      )}
      {phases.slice(earlier).map((phase) => {
        const isLast = phase === phases.at(-1);
        const spanMs = Math.max(0, (phase.endedAtMs ?? now) - phase.startedAtMs);
        const span = formatSpan(spanMs);
        return (
          <li
            key={phase.sequence}
            className={isLast && status !== null ? status : "completed"}
            style={{ flexGrow: spanMs + LEAST_MS }}
          >
            <button
              type="button"
              title={`${phase.name} · ${span} · from event ${phase.sequence}`}
              aria-current={isLast && isLive ? "step" : undefined}
              onClick={() => onJump(phase.sequence)}
            >
              <span className="phase-name">{phase.name}</span>
              <span className="phase-span">{span}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
