import {
  type AppendReceipt,
  type EventDraft,
  RunEventsError,
  type RunStatus,
} from "@tm/run-events-core";
import { createEmitQueue, holdingClock, sealDraft } from "@tm/run-events-core/wire";

/** The time to keep trying after the last event, counted from the last success, in milliseconds. */
const PATIENCE_MS = 300_000;
/** The limits of a batch, and of the queue before the command has to wait. */
const QUEUE = { maxEvents: 500, gatherMs: 50, clock: holdingClock, roomBytes: 8_388_608 } as const;

/** The end of a recording: complete; because another program ended the run, or another worker claimed it; or incomplete. */
export type RecordingEnd =
  | { readonly outcome: "recorded" }
  | { readonly outcome: "ended_elsewhere"; readonly runStatus: RunStatus }
  | { readonly outcome: "taken_over" }
  | { readonly outcome: "failed"; readonly reason: string };

/** Sends a run's events in order, in batches, through outages of the server. */
export interface Recorder {
  /** Takes events. Resolves when there is room for more. Does nothing once the recording has ended. */
  add(events: readonly EventDraft[]): Promise<void>;
  /** Takes the last event. Resolves when all are in the log, or the recording has ended otherwise. */
  finish(event: EventDraft): Promise<RecordingEnd>;
  /** Ends the recording at once. Only the first end counts. */
  end(end: RecordingEnd): void;
  /** Resolves when the recording has ended before it was complete. */
  readonly ended: Promise<RecordingEnd>;
  /** The last receipt of the server. */
  lastReceipt(): AppendReceipt | null;
  /** The number of appends that have landed. */
  landings(): number;
  /** The number of events that wait for the server. */
  waiting(): number;
}

/** Options of {@link createRecorder}. */
export interface RecorderOptions {
  /** Appends events, and tries again until the signal aborts. */
  readonly append: (
    events: readonly EventDraft[],
    how: { readonly signal: AbortSignal; readonly onRetry: (error: RunEventsError) => void },
  ) => Promise<AppendReceipt>;
  /** Called when the server fails, and with `null` when it answers again. */
  readonly onAway: (error: RunEventsError | null) => void;
}

/**
 * Creates a recorder over the emit queue that all writers use.
 *
 * | it is     | until                                                                      | then  |
 * | --------- | -------------------------------------------------------------------------- | ----- |
 * | recording | `finish`, and all is in the log                                            | ended |
 * | recording | `end`; the queue fails; 5 minutes pass after `finish` and the last success | ended |
 */
export function createRecorder({ append, onAway }: RecorderOptions): Recorder {
  const ended = Promise.withResolvers<RecordingEnd>();
  const sending = new AbortController();
  const queue = createEmitQueue(send, (error) => end(recordingEndOf(error)), QUEUE);
  let firstEnd: RecordingEnd | null = null;
  let lastReceipt: AppendReceipt | null = null;
  let waiting = 0;
  let landings = 0;
  let isAway = false;
  let patience: NodeJS.Timeout | undefined;

  function end(recordingEnd: RecordingEnd): void {
    if (firstEnd !== null) return;
    firstEnd = recordingEnd;
    ended.resolve(recordingEnd);
    sending.abort();
  }

  async function send(events: readonly EventDraft[]): Promise<void> {
    const onRetry = (error: RunEventsError): void => {
      isAway = true;
      onAway(error);
    };
    lastReceipt = await append(events, { signal: sending.signal, onRetry });
    if (isAway) onAway(null);
    isAway = false;
    patience?.refresh();
    waiting -= events.length;
    landings += 1;
  }

  async function add(events: readonly EventDraft[]): Promise<void> {
    try {
      let room: Promise<void> | undefined;
      for (const event of events) {
        if (firstEnd !== null) return;
        waiting += 1;
        room = queue.emit(sealDraft(event));
        room.catch(() => {});
      }
      await room;
    } catch (error) {
      // A queue that fails has ended the recording.
      if (firstEnd === null) throw error;
    }
  }

  return {
    ended: ended.promise,
    end,
    add,
    lastReceipt: () => lastReceipt,
    landings: () => landings,
    waiting: () => waiting,
    async finish(event) {
      void add([event]);
      patience = setTimeout(
        () => end({ outcome: "failed", reason: "the server did not answer for 5 minutes" }),
        PATIENCE_MS,
      );
      try {
        await queue.ask(async () => {}, true);
        return firstEnd ?? { outcome: "recorded" };
      } finally {
        clearTimeout(patience);
      }
    },
  };
}

/**
 * The end of a recording that was refused. If another program ended the run, or another worker claimed it, the recording has not failed.
 * @see clauses W7 and W32 in `WIRE.md`
 */
export function recordingEndOf(error: unknown): RecordingEnd {
  if (error instanceof RunEventsError) {
    const { code, details } = error;
    if (code === "fenced") return { outcome: "taken_over" };
    if (code === "run_finished") {
      return { outcome: "ended_elsewhere", runStatus: details.runStatus ?? "cancelled" };
    }
  }
  return { outcome: "failed", reason: error instanceof Error ? error.message : String(error) };
}
