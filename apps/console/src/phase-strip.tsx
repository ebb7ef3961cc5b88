import type { RunStatus } from "@tm/run-events-core";
import { type ReactNode, useEffect, useRef } from "react";
import { formatSpan } from "./format-time.ts";
import type { Phase } from "./run-digest.ts";
import { useNow } from "./use-now.ts";

/** How often the span of a phase that goes on is told anew, in milliseconds. */
const TICK_MS = 1_000;
/** A share of the strip that every phase has, beside that of its time, in milliseconds: the shortest can be hit too. */
const LEAST_MS = 400;

/** A run's phases, as wide as they were long. Each leads to its first event. */
export function PhaseStrip({
  phases,
  status,
  onJump,
}: {
  readonly phases: readonly Phase[];
  readonly status: RunStatus | null;
  readonly onJump: (sequence: number) => void;
}): ReactNode {
  const isLive = phases.at(-1)?.endedAtMs === null;
  const now = useNow(isLive ? TICK_MS : null);
  const strip = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const { current } = strip;
    if (current !== null) current.scrollLeft = current.scrollWidth;
  }, [phases]);
  if (phases.length === 0) return null;
  return (
    <ol ref={strip} className="phases" aria-label="Phases">
      {phases.map((phase, index) => {
        const isLast = index === phases.length - 1;
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
