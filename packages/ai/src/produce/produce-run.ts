import {
  type RunEvents,
  RunEventsError,
  type WorkedRun,
  type WorkOptions,
} from "@tm/run-events-core";
import { askToStay, type WaitUntil } from "./ask-to-stay.ts";
import { LEASE_EXPIRED, returned, type StreamRuns } from "../runs/stream-runs.ts";

/** A run to create. */
type NewRun = Parameters<RunEvents["create"]>[0];

/** The settings of a stream's producer. */
export interface ProduceOptions
  extends Omit<WorkOptions, "leaseMs">, Pick<NewRun, "metadata" | "topic" | "exclusive"> {
  readonly waitUntil?: WaitUntil;
  /** Whether the run exists already and waits for an input: the producer then goes on with it. */
  readonly isWaiting?: boolean;
}

/** A stream that this process produces: what its `open` has returned, and the end of the work. */
export interface Produced<Value> {
  readonly value: Value;
  readonly done: Promise<void>;
}

/**
 * Makes a stream as its only producer: creates its run and works on it.
 * @param open called once the run is claimed, before anything else is written
 * @param work called with what `open` returned. The stream ends with it
 * @returns once `open` has returned: its value, and the end of the work; the refusal, `claimed` or `run_finished`, if the stream exists
 * @throws what `waitUntil` or `open` throws
 * @throws RunEventsError `topic_busy` for an exclusive stream while a live process has another one of the topic
 */
export async function produceRun<Value>(
  streams: StreamRuns,
  runId: string,
  { waitUntil, ...options }: ProduceOptions,
  open: (run: WorkedRun) => Value | Promise<Value>,
  work: (run: WorkedRun, value: Value) => Promise<void>,
): Promise<Produced<Value> | RunEventsError> {
  const over = Promise.withResolvers<unknown>();
  // Before anything is made: a host that refuses must not leave a stream that nothing reads.
  askToStay(waitUntil, over.promise);
  const produced = produceNow(streams, runId, options, open, work);
  over.resolve(produced.then((made) => (made instanceof RunEventsError ? null : made.done)));
  return produced;
}

async function produceNow<Value>(
  streams: StreamRuns,
  runId: string,
  { isWaiting = false, ...options }: Omit<ProduceOptions, "waitUntil">,
  open: (run: WorkedRun) => Value | Promise<Value>,
  work: (run: WorkedRun, value: Value) => Promise<void>,
): Promise<Produced<Value> | RunEventsError> {
  const { runs, ownerId, leaseMs } = streams;
  const opened = Promise.withResolvers<{ readonly value: Value } | RunEventsError | null>();
  const task = async (run: WorkedRun): Promise<void> => {
    if (run.lastSequence > 0 && !isWaiting) return opened.resolve(await leave(streams, run));
    const value = await open(run);
    opened.resolve({ value });
    await work(run, value);
  };
  const start = (): ReturnType<typeof runs.start<void>> =>
    runs.start({ ownerId, runId, leaseMs, onShutdown: "fail", ...options }, task);
  const started = await start()
    .catch(async (error: unknown) => {
      const { details } = returned("topic_busy")(error);
      // The process of the run that has the topic may have died.
      await streams.endIfDead(String(details.runId));
      return start();
    })
    .catch(returned("claimed", "run_finished"));
  if (started instanceof RunEventsError) return started;
  const { done } = started;
  done.catch(opened.reject);
  const result = await opened.promise;
  if (result instanceof RunEventsError) return result;
  return result === null
    ? produceNow(streams, runId, { isWaiting, ...options }, open, work)
    : { ...result, done };
}

/**
 * Leaves a run that another process has begun.
 * @returns the refusal if the run waits for an input, and so needs no worker; `null` if the run is ended now
 */
async function leave(
  { runs, ownerId }: StreamRuns,
  run: WorkedRun,
): Promise<RunEventsError | null> {
  if ((await runs.get(run.runId, { ownerId })).runStatus !== "waiting") {
    // Its producer has died. Readers may have a part of its stream, so another one must not follow.
    await run.append([LEASE_EXPIRED]);
    return null;
  }
  await run.park();
  return new RunEventsError(
    "claimed",
    "Expected a new run, got one that waits for an input. Answer that run.",
  );
}
