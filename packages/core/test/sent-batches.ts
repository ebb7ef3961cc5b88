import { sealDraft, type SealedDraft } from "../src/rules/lifecycle.ts";
import { createDeferred, type Deferred } from "./deferred.ts";

export const MAX_EVENTS = 20;
export const MEBIBYTE = 1_048_576;

/** An append that a test answers by hand. */
interface SentBatch {
  readonly payloads: readonly string[];
  readonly answer: Deferred<void>;
}

/** The appends of a queue so far, in their order. */
export interface SentBatches {
  readonly sent: readonly SentBatch[];
  /** The function that the queue calls. */
  readonly send: (events: readonly SealedDraft[]) => Promise<void>;
}

/** Records the appends of a queue. */
export function recordSent(): SentBatches {
  const sent: SentBatch[] = [];
  return {
    sent,
    async send(events) {
      const answer = createDeferred<void>();
      sent.push({ payloads: payloadsOf(events), answer });
      return answer.promise;
    },
  };
}

/** Answers the appends one after another, and keeps their payloads in the order of the answers. */
export function answerInTurn(sent: readonly SentBatch[]): {
  readonly order: string[];
  /** Answers the next one, if any. */
  readonly answer: () => void;
  /** The number of batches that are not answered yet. */
  readonly open: () => number;
} {
  const order: string[] = [];
  let answered = 0;
  return {
    order,
    answer() {
      const next = sent[answered];
      if (next === undefined) return;
      order.push(...next.payloads);
      next.answer.resolve();
      answered += 1;
    },
    open: () => sent.length - answered,
  };
}

export function payloadsOf(events: readonly SealedDraft[]): readonly string[] {
  return events.map(({ payload }) => payload.text);
}

export function draft(payload: unknown, eventType = "TOKEN"): SealedDraft {
  return sealDraft({ eventType, payload });
}

/** A text whose event weighs so much that 16 of them are a MiB. */
export function heavy(): string {
  return "x".repeat(MEBIBYTE / 16 - 226);
}
