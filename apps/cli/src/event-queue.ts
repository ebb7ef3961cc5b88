import type { EventDraft } from "@tm/run-events-core";

/** How long a batch may wait for more, in milliseconds. */
const BATCH_MS = 50;
/** The most events of a batch, until a server takes fewer. */
const BATCH_EVENTS = 500;
/** Of a batch, in characters of JSON text: a quarter of the wire's limit for a body. @see W9 */
const BATCH_LENGTH = 1_048_576;
/** What may wait, in characters of JSON text, before who adds more has to wait as well. */
const QUEUE_LENGTH = 8_388_608;

/** Events that wait to be sent, in order. */
export interface EventQueue {
  /** Resolves when there is room for more. */
  add(events: readonly EventDraft[]): Promise<void>;
  /** Nobody waits any more: what is left is handed out at once. */
  close(): void;
  /**
   * The JSON texts of the next events, once a batch is full or its time is up; none once the queue is closed and empty.
   * They stay in the queue until they are dropped.
   */
  nextBatch(): Promise<readonly string[]>;
  /** From now on a batch has at most this many events. */
  limitBatch(events: number): void;
  /** Removes the first so many. */
  drop(count: number): void;
  readonly size: number;
}

/** A queue of bounded memory. */
export function createEventQueue(): EventQueue {
  let texts: string[] = [];
  let length = 0;
  let isClosed = false;
  let mostEvents = BATCH_EVENTS;
  let changed = Promise.withResolvers<void>();

  function change(): void {
    changed.resolve();
    changed = Promise.withResolvers();
  }

  async function fillBatch(): Promise<void> {
    const due = Promise.withResolvers<void>();
    let isDue = false;
    const timer = setTimeout(() => {
      isDue = true;
      due.resolve();
    }, BATCH_MS);
    while (!isDue && !isClosed && texts.length < mostEvents && length < BATCH_LENGTH) {
      await Promise.race([due.promise, changed.promise]);
    }
    clearTimeout(timer);
  }

  return {
    async add(events) {
      for (const event of events) {
        const text = JSON.stringify(event);
        texts.push(text);
        length += text.length;
      }
      change();
      while (length > QUEUE_LENGTH && !isClosed) await changed.promise;
    },
    close() {
      isClosed = true;
      change();
    },
    async nextBatch() {
      while (texts.length === 0 && !isClosed) await changed.promise;
      await fillBatch();
      return cutBatch(texts.slice(0, mostEvents));
    },
    limitBatch(events) {
      mostEvents = events;
    },
    drop(count) {
      for (const text of texts.slice(0, count)) length -= text.length;
      texts = texts.slice(count);
      change();
    },
    get size() {
      return texts.length;
    },
  };
}

/** As many of the first as fit: at least one, if there are any. */
function cutBatch(texts: readonly string[]): readonly string[] {
  let length = 0;
  let count = 0;
  for (const text of texts) {
    length += text.length;
    if (count > 0 && length > BATCH_LENGTH) break;
    count += 1;
  }
  return texts.slice(0, count);
}
