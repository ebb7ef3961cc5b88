import {
  type AppendReceipt,
  type EventDraft,
  RunEventsError,
  type RunStatus,
} from "@tm/run-events-core";
import { createEventQueue } from "./event-queue.ts";
import { retrying } from "./retrying.ts";

/** How long to go on trying once the last event is there, from the last success on, in milliseconds. */
const PATIENCE_MS = 300_000;

/** How a recording ended: whole; because the run was ended from elsewhere, or another worker has it; or short of its end. */
export type RecordingEnd =
  | { readonly outcome: "recorded" }
  | { readonly outcome: "ended_elsewhere"; readonly runStatus: RunStatus }
  | { readonly outcome: "taken_over" }
  | { readonly outcome: "failed"; readonly reason: string };

/** Sends a run's events in order, in batches, whatever happens to the server. */
export interface Recorder {
  /** Takes events. Resolves when there is room for more. Does nothing once the recording has ended. */
  add(events: readonly EventDraft[]): Promise<void>;
  /** Takes the last event. Resolves when all are in the log, or the recording has ended otherwise. */
  finish(event: EventDraft): Promise<RecordingEnd>;
  /** Ends the recording as it stands. Only the first end counts. */
  end(end: RecordingEnd): void;
  /** Resolves when the recording has ended before it was whole. */
  readonly ended: Promise<RecordingEnd>;
  /** What the server has acknowledged last. */
  lastReceipt(): AppendReceipt | null;
  /** How many events wait for the server. */
  waiting(): number;
}

/** What a recorder works with. */
export interface RecorderOptions {
  readonly append: (
    events: readonly string[],
    idempotencyKey: string,
    signal: AbortSignal,
  ) => Promise<AppendReceipt>;
  /** Told when the server fails, and with `null` when it answers again. */
  readonly onAway: (error: RunEventsError | null) => void;
}

/** One append is under way at a time, each with a key of its own, so that a repeated one lands once. @see W10 */
export function createRecorder({ append, onAway }: RecorderOptions): Recorder {
  const ended = Promise.withResolvers<RecordingEnd>();
  const sending = new AbortController();
  const queue = createEventQueue();
  const keyPrefix = crypto.randomUUID();
  let firstEnd: RecordingEnd | null = null;
  let lastReceipt: AppendReceipt | null = null;
  let isAway = false;
  let patience: NodeJS.Timeout | undefined;

  function end(recordingEnd: RecordingEnd): void {
    if (firstEnd !== null) return;
    firstEnd = recordingEnd;
    ended.resolve(recordingEnd);
    sending.abort();
    queue.close();
  }

  /** Sends a batch. If the server refuses it as too large, batches are smaller from then on. */
  async function send(batch: readonly string[], number: number): Promise<void> {
    let isInDoubt = false;
    let receipt: AppendReceipt;
    try {
      receipt = await retrying(() => append(batch, `${keyPrefix}-${number}`, sending.signal), {
        signal: sending.signal,
        onFailure(error) {
          isInDoubt = true;
          isAway = true;
          onAway(error);
        },
      });
    } catch (error) {
      // The whole batch may have landed already: half of it under another key would be there twice.
      if (isInDoubt || batch.length === 1 || !isTooMuch(error)) throw error;
      queue.limitBatch(Math.floor(batch.length / 2));
      return;
    }
    if (isAway) onAway(null);
    isAway = false;
    patience?.refresh();
    lastReceipt = receipt;
    queue.drop(batch.length);
  }

  async function sendAll(): Promise<RecordingEnd> {
    try {
      for (let number = 1; firstEnd === null; number += 1) {
        const batch = await queue.nextBatch();
        if (batch.length === 0) break;
        await send(batch, number);
      }
    } catch (error) {
      end(recordingEndOf(error));
    }
    return firstEnd ?? { outcome: "recorded" };
  }

  const sent = sendAll();
  return {
    ended: ended.promise,
    end,
    lastReceipt: () => lastReceipt,
    waiting: () => queue.size,
    async add(events) {
      if (firstEnd === null) await queue.add(events);
    },
    async finish(event) {
      if (firstEnd === null) void queue.add([event]);
      queue.close();
      patience = setTimeout(
        () => end({ outcome: "failed", reason: "the server stays away" }),
        PATIENCE_MS,
      );
      try {
        return await sent;
      } finally {
        clearTimeout(patience);
      }
    },
  };
}

/** Whether the refused batch may succeed in parts: it had too many events, or too much text. */
function isTooMuch(error: unknown): boolean {
  return (
    error instanceof RunEventsError &&
    (error.code === "invalid_request" || error.code === "payload_too_large")
  );
}

/**
 * What a refusal makes of a recording. Whoever ended the run first has ended it, and whoever claimed it goes on with it: that is
 * no failure of the recording.
 * @see W7, W32
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
