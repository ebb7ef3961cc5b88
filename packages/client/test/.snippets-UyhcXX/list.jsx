import { useRuns } from "@tm/run-events-client/react";

export function List(options) {
  const { runs, isLoading, hasMore, loadMore, error } = useRuns(options);
  return (
    <section>
      {error !== null && <p>{error.message}</p>}
      {isLoading && <p>Loading</p>}
      <ul>
        {runs.map(({ runId, runStatus, lastSequence }) => (
          <li key={runId}>
            {runStatus}, {lastSequence} events
          </li>
        ))}
      </ul>
      {hasMore && <button onClick={loadMore}>More</button>}
    </section>
  );
}
