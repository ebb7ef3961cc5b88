import type { AppendOutcome, AppendRequest } from "./append.ts";
import type { StoredEvent } from "./event.ts";
import { advanceRun, judgeAppend, type KeptReceipt } from "./judge-append.ts";
import type { RunRecord } from "./run.ts";

/** An event to insert. */
export interface EventRow extends StoredEvent {
  readonly ordinal: number;
}

/** The receipt of an idempotency key: a row to insert. */
export interface ReceiptRow extends Omit<KeptReceipt, "events"> {
  readonly ordinal: number;
  readonly idempotencyKey: string;
}

/** A run's head before a call, and after its requests. */
export interface MovedHead<Head extends RunRecord = RunRecord> {
  readonly before: Head;
  readonly after: Head;
}

/** What a call of `append` answers and writes. */
export interface AppendPlan<Head extends RunRecord = RunRecord> {
  /** One a request, in their order. */
  readonly outcomes: readonly AppendOutcome[];
  /** Rows of one run ascend. They are adjacent if the run's requests are. */
  readonly events: readonly EventRow[];
  readonly receipts: readonly ReceiptRow[];
  /** Each run that takes events, once. */
  readonly moved: readonly MovedHead<Head>[];
}

/**
 * Judges the requests of one call in their order. Each request sees the results of those before it, including their keys. A refused
 * request changes nothing, and does not affect the others.
 * @param heads of the runs that exist, locked where others may append
 * @param receiptOf finds the receipt that a key has on a run before this call, `null` without one. Called for requests with a key
 * @param nowMs the store's clock, read after the heads were locked
 * @see clauses S1, S2 and S5 in `STORE.md`
 */
export function planAppends<Head extends RunRecord>(
  heads: Iterable<Head>,
  receiptOf: (run: Head, idempotencyKey: string) => KeptReceipt | null,
  requests: readonly AppendRequest[],
  nowMs: number,
): AppendPlan<Head> {
  const places = new Map<string, { readonly before: Head; after: Head }>();
  for (const head of heads) places.set(head.runId, { before: head, after: head });
  const events: EventRow[] = [];
  const receipts: ReceiptRow[] = [];
  const given = new Map<string, KeptReceipt>();

  function appendOne(request: AppendRequest): AppendOutcome {
    const { runId, idempotencyKey } = request;
    const place = places.get(runId);
    if (place === undefined) return { outcome: "not_found" };
    const { after: head } = place;
    const name = idempotencyKey === null ? "" : `${head.ordinal} ${idempotencyKey}`;
    const receipt =
      idempotencyKey === null ? null : (given.get(name) ?? receiptOf(head, idempotencyKey));
    const refusal = judgeAppend(head, receipt, request, nowMs);
    if (refusal !== null) return refusal;
    const { run, landing } = advanceRun(head, request, nowMs);
    const { ordinal, updatedAtMs: createdAtMs } = run;
    let sequence = landing.firstSequence;
    for (const { eventType, payload } of request.events) {
      events.push({ ordinal, sequence, eventType, payload, createdAtMs });
      sequence += 1;
    }
    if (idempotencyKey !== null) {
      receipts.push({ ordinal, idempotencyKey, ...landing });
      given.set(name, { ...landing, events: request.events });
    }
    place.after = run;
    return { outcome: "appended", ...landing };
  }

  const outcomes = requests.map(appendOne);
  const moved: MovedHead<Head>[] = [];
  for (const place of places.values()) if (place.after !== place.before) moved.push(place);
  return { outcomes, events, receipts, moved };
}
