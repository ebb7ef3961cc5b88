import type { BaseEvent } from "@ag-ui/client";
import type { Placed } from "../streams/respond-placed.ts";
import { refusal } from "../routes/refusals.ts";
import { decodePlace, encodePlace } from "../runs/run-place.ts";
import type { StreamRuns } from "../runs/stream-runs.ts";
import { listTopic } from "../runs/topic-runs.ts";
import { RunReader } from "./run-reader.ts";

/** An event of a thread, and the place from which a reader goes on after it. */
export type PlacedEvent = Placed<BaseEvent>;

/** Where a reader of a run begins, and where it ends. */
export interface RunQuery {
  readonly runId: string;
  /** The last sequence that the reader has. */
  readonly since: number;
  /** Whether it reads on after a question that has its answer. */
  readonly isWhole?: boolean;
}

/** Reads the events of a run, and follows it until it has ended or waits for an answer. */
async function* followRun(
  streams: StreamRuns,
  { runId, since, isWhole = false }: RunQuery,
  signal: AbortSignal,
): AsyncGenerator<PlacedEvent, void> {
  const reader = new RunReader();
  let isNew = false;
  // From its start, because otherwise the reader would not know what is open and what the run waits for.
  for await (const { sequence, ...event } of streams.follow(runId, 0, signal)) {
    const events = reader.read({ sequence, ...event });
    if (sequence > since && events.length > 0) {
      isNew = true;
      yield* placed(events, encodePlace(runId, sequence));
    }
    if (event.eventType !== "INPUT_REQUESTED" || (sequence <= since && !isWhole)) continue;
    // A waiting run has no worker, so no event would come.
    const isLast = (await streams.find(runId))?.lastSequence === sequence;
    if (isLast && !isNew) yield* placed(reader.again(), encodePlace(runId, sequence));
    if (isLast || !isWhole) return;
  }
}

function* placed(events: readonly BaseEvent[], place: string): Generator<PlacedEvent, void> {
  for (const [index, event] of events.entries()) {
    yield { event, place: index === events.length - 1 ? place : null };
  }
}

/** Reads runs one after another. @see followRun */
export async function* followRuns(
  streams: StreamRuns,
  queries: readonly RunQuery[],
  signal: AbortSignal,
): AsyncGenerator<PlacedEvent, void> {
  for (const query of queries) yield* followRun(streams, query, signal);
}

/**
 * The runs of a thread that a reader has to read.
 * @param since the place after which it begins; `null` for the start
 * @throws RunEventsError `not_found` for a place of another thread, or of a run that was removed or has lost the event
 */
export async function findThread(
  streams: StreamRuns,
  threadId: string,
  since: string | null,
): Promise<readonly RunQuery[]> {
  const place = decodePlace(since ?? "");
  const runs = await listTopic(streams, threadId);
  const from =
    since === null
      ? 0
      : runs.findIndex((run) => run.runId === place?.runId && run.lastSequence >= place.sequence);
  if (from === -1) {
    throw refusal(
      "not_found",
      "Expected `since` to be a place of this thread, got another text. Read without `since`.",
    );
  }
  const sinceOf = (runId: string): number => (runId === place?.runId ? place.sequence : 0);
  return runs.slice(from).map(({ runId }) => ({ runId, since: sinceOf(runId), isWhole: true }));
}
