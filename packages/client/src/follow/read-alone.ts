import type { FollowedRun } from "./followed-run.ts";
import { readOn } from "./read-on.ts";
import { bestFor, type Transport } from "./route.ts";
import type { RunsReaderOptions } from "./runs-reader-options.ts";

/** How one of many runs is read over requests of its own. */
export interface AloneReading {
  readonly options: Omit<RunsReaderOptions, "slot">;
  readonly transport: Transport;
  readonly signal: AbortSignal;
  /** Called when the server gave no answer before any other came: nothing shows that polls get through where the stream did not. */
  readonly onSilence: () => void;
}

/** Reads one run until it is over, or the signal aborts. It never rejects. */
export async function readAlone(run: FollowedRun, reading: AloneReading): Promise<void> {
  const { transport, signal, onSilence } = reading;
  const { pollFetch, ...options } = reading.options;
  if (transport === "poll" && pollFetch !== undefined) options.fetch = pollFetch;
  let hasAnswered = false;
  const isSilenceNews = bestFor(options.credential) === "stream";
  const steps = readOn(
    { ...options, ...run.beginning(), runId: run.runId, signal },
    { cursor: () => run.cursor, at: () => run.at },
    (change) => {
      hasAnswered ||= change.runStatus !== undefined;
      // The connection of a live run is only opened again.
      const isSame = change.state === "connecting" && run.isLive;
      if (!isSame) run.update(change);
      if (change.state === "paused" && !hasAnswered && isSilenceNews) onSilence();
    },
    transport,
  );
  try {
    let events = await steps.next();
    for (; typeof events === "object"; events = await steps.next()) {
      hasAnswered = true;
      run.take(events);
    }
    run.update({ state: "finished" });
  } catch (error) {
    if (!signal.aborted) run.fail(error);
  } finally {
    steps.end();
  }
}
