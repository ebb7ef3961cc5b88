import { isSame, show } from "../assert.ts";

/** An event as it was appended. */
export interface AppendedEvent {
  readonly eventType: string;
  /** A value, or its JSON text where a delivery has texts as well. */
  readonly payload: unknown;
}

/** An event as a reader was handed it. */
export interface DeliveredEvent extends AppendedEvent {
  readonly sequence: number;
}

/** The events that a reader got, in order, and each end of the run. */
export type Delivery = readonly (DeliveredEvent | "end")[];

/** Whether it is an event, and not the end. */
export function isEvent(item: Delivery[number]): item is DeliveredEvent {
  return item !== "end";
}

/**
 * Fails a case unless a reader got what it was owed.
 * @param who begins the message: which reader, where there are several
 */
export function assertDelivery(
  log: readonly AppendedEvent[],
  since: number,
  got: Delivery,
  who = "",
): void {
  const wrong = judgeDelivery(log, since, got);
  if (wrong !== null) throw new Error(who === "" ? wrong : `${who}: ${wrong}`);
}

/**
 * Whether a reader of a finished run got what it was owed: the events after `since`, each as it was appended, in order and
 * once, then one end, and nothing after that.
 * @param log every event of the run; the first has the sequence 1
 * @returns what it got instead, in a sentence; `null` if nothing is wrong
 */
export function judgeDelivery(
  log: readonly AppendedEvent[],
  since: number,
  got: Delivery,
): string | null {
  for (const [index, item] of got.entries()) {
    const sequence = since + 1 + index;
    const owed = log[sequence - 1];
    const place = index === 0 ? `first, after ${since}` : `after ${nameOf(got[index - 1])}`;
    if (item === "end") {
      if (owed !== undefined) return `Expected event ${sequence} ${place}, got the end of the run.`;
      const next = got[index + 1];
      return next === undefined ? null : `Expected nothing after the end, got ${nameOf(next)}.`;
    }
    if (owed === undefined) return `Expected the end of the run ${place}, got ${nameOf(item)}.`;
    if (item.sequence !== sequence) {
      return `Expected event ${sequence} ${place}, got ${nameOf(item)}.`;
    }
    const { eventType, payload } = item;
    if (eventType !== owed.eventType || !isSame(payload, owed.payload)) {
      return `Expected event ${sequence} to be ${show(owed)}, got ${show({ eventType, payload })}.`;
    }
  }
  const next = since + 1 + got.length;
  const missing = next <= log.length ? `event ${next}` : "the end of the run";
  return `Expected ${missing} ${got.length === 0 ? `first, after ${since}` : `after ${nameOf(got.at(-1))}`}, got nothing more.`;
}

function nameOf(item: Delivery[number] | undefined): string {
  return item === "end" || item === undefined ? "the end of the run" : `event ${item.sequence}`;
}
