"use client";

import { useRun } from "@tm/run-events-client/react";

export function Run({ runId }) {
  const { events, runStatus, currentPhase, state, error } = useRun(runId);
  const words = [runStatus, currentPhase, `(${state})`].filter((word) => word !== null);
  return (
    <section>
      <p>{error === null ? words.join(" ") : error.message}</p>
      <ol>
        {events.map(({ sequence, eventType }) => (
          <li key={sequence}>{eventType}</li>
        ))}
      </ol>
    </section>
  );
}
