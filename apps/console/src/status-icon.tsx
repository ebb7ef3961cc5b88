import type { RunStatus } from "@tm/run-events-core";
import type { ReactNode } from "react";

const SHAPES: Readonly<Record<RunStatus, ReactNode>> = {
  queued: <circle cx="8" cy="8" r="5.25" strokeDasharray="2.2 2.2" />,
  running: (
    <>
      <circle cx="8" cy="8" r="6" className="halo" />
      <circle cx="8" cy="8" r="3.5" className="full" />
    </>
  ),
  waiting: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M6.5 5.6v4.8m3-4.8v4.8" />
    </>
  ),
  completed: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="m5.2 8.2 2 2 3.6-4.2" />
    </>
  ),
  failed: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M3.8 12.2 12.2 3.8" />
    </>
  ),
};

/** A run's status as a shape, because not everyone can tell the colours apart. The caller adds the word. */
export function StatusIcon({ status }: { readonly status: RunStatus }): ReactNode {
  return (
    <svg className={`status-icon ${status}`} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[status]}
    </svg>
  );
}
