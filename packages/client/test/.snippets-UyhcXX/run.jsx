"use client";

import { useRun } from "@tm/run-events-client/react";

export function Run({ runId, initial }) {
  const run = useRun(runId, { tail: 50, initial });
  const { events, runStatus, currentPhase, state, error } = run;
  const words = [runStatus, currentPhase, `(${state})`].filter((word) => word !== null);
  return (
    <section>
      <p>{error === null ? words.join(" ") : error.message}</p>
      {run.hasEarlier && <button onClick={run.loadEarlier}>Earlier</button>}
      <ol>
        {events.map(({ sequence, eventType }) => (
          <li key={sequence}>{eventType}</li>
        ))}
      </ol>
      <button onClick={run.cancel} disabled={run.isCancelling || state === "finished"}>
        Cancel
      </button>
    </section>
  );
}
