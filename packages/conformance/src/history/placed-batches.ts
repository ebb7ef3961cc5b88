import { isTerminal, type RunStatus } from "@tm/run-events-core";
import type { AppendOperation, LoggedEvent, Violation } from "./operation.ts";

/** A batch, all who sent it, and where the log has it. */
export interface Batch {
  readonly ids: readonly string[];
  readonly sent: AppendOperation[];
  /** Those that may have landed it: the one that was answered so, else those without an answer. */
  readonly landers: AppendOperation[];
  /** 1, 2, … in the order of the log; `null` if it is not there. */
  place: number | null;
  /** Of its last event; 0 if it is not there. */
  lastSequence: number;
}

/** A log, cut into the batches that it was appended as. */
export interface PlacedLog {
  readonly events: readonly LoggedEvent[];
  /** By the name of their first event. */
  readonly batches: ReadonlyMap<string, Batch>;
  /** Those that landed, in the order of the log. */
  readonly landed: readonly Batch[];
  /** Those that landed, by their idempotency key. */
  readonly byKey: ReadonlyMap<string, Batch>;
  /** How many batches end at or before a sequence, by sequence; `null` inside a batch. */
  readonly placeAt: readonly (number | null)[];
  /** The event that started the phase in force, by sequence. */
  readonly phaseIdAt: readonly (string | null)[];
}

/**
 * Finds each batch of a log: whole, once, sent by a client, not after the end of its run.
 * @returns the log cut up, or what it breaks
 */
export function placeBatches(
  events: readonly LoggedEvent[],
  appends: readonly AppendOperation[],
): PlacedLog | Violation {
  const batches = groupBatches(appends);
  const landed: Batch[] = [];
  const byKey = new Map<string, Batch>();
  const placeAt: (number | null)[] = [0];
  let status: RunStatus = "queued";
  for (let at = 0; at < events.length;) {
    const first = events[at];
    const batch = first && batches.get(first.id);
    if (batch === undefined) return strayEvent(events, at, batches);
    const key = batch.sent[0]?.idempotencyKey ?? null;
    const sameKey = key === null ? undefined : byKey.get(key);
    const wrong = wrongPlace(batch, events, at, status, sameKey);
    if (wrong !== null) return wrong;
    at += batch.ids.length;
    landed.push(batch);
    batch.place = landed.length;
    batch.lastSequence = at;
    if (key !== null) byKey.set(key, batch);
    const candidates = landersOf(batch);
    if (candidates.length === 0) {
      return violation(
        "S5",
        `the batch that ends at ${at} landed, but its append was refused`,
        batch.sent,
      );
    }
    batch.landers.push(...candidates);
    for (let inside = 1; inside < batch.ids.length; inside++) placeAt.push(null);
    placeAt.push(landed.length);
    status = events[at - 1]?.runStatus ?? status;
  }
  return { events, batches, landed, byKey, placeAt, phaseIdAt: phaseIdsOf(events) };
}

/** The first sequence of a batch that landed. */
export function firstSequenceOf({ ids, lastSequence }: Batch): number {
  return lastSequence - ids.length + 1;
}

function wrongPlace(
  batch: Batch,
  events: readonly LoggedEvent[],
  at: number,
  status: RunStatus,
  sameKey: Batch | undefined,
): Violation | null {
  const { sent, ids, place } = batch;
  const where = `sequence ${at + 1}`;
  if (isTerminal(status)) return violation("S5", `${where} comes after the end of the run`, sent);
  if (place !== null) return violation("S5", `the batch at ${where} landed before`, sent);
  if (ids.some((id, index) => events[at + index]?.id !== id)) {
    return violation("S2", `the batch at ${where} is not whole`, sent);
  }
  if (sameKey !== undefined) {
    const calls = [...sameKey.sent, ...sent];
    return violation("S5", `the batch at ${where} has the key of another batch of the log`, calls);
  }
  const answeredSo = sent.filter(({ result }) => result.outcome === "appended");
  return answeredSo.length > 1
    ? violation(
        "S5",
        `${answeredSo.length} answers show that their append landed the batch at ${where}`,
        answeredSo,
      )
    : null;
}

function landersOf(batch: Batch): readonly AppendOperation[] {
  const answered = batch.sent.filter(({ result }) => result.outcome === "appended");
  if (answered.length > 0) return answered;
  const before = firstSequenceOf(batch) - 1;
  return batch.sent.filter(
    ({ result, expectedSequence }) =>
      result.outcome === "unknown" && (expectedSequence === null || expectedSequence === before),
  );
}

function phaseIdsOf(events: readonly LoggedEvent[]): readonly (string | null)[] {
  const phaseIds: (string | null)[] = [null];
  for (const { id, startsPhase } of events)
    phaseIds.push(startsPhase ? id : (phaseIds.at(-1) ?? null));
  return phaseIds;
}

/** A violation whose calls are in order. */
export function violation(
  clause: string,
  message: string,
  operations: Violation["operations"],
): Violation {
  return { clause, message, operations: operations.toSorted((a, b) => a.begunAt - b.begunAt) };
}

function groupBatches(appends: readonly AppendOperation[]): Map<string, Batch> {
  const batches = new Map<string, Batch>();
  for (const append of appends) {
    const batch = batches.get(append.ids[0]);
    if (batch === undefined) {
      const { ids } = append;
      batches.set(ids[0], { ids, sent: [append], landers: [], place: null, lastSequence: 0 });
    } else batch.sent.push(append);
  }
  return batches;
}

/** Why no batch begins here. */
function strayEvent(
  events: readonly LoggedEvent[],
  at: number,
  batches: ReadonlyMap<string, Batch>,
): Violation {
  const id = events[at]?.id ?? "";
  const torn = [...batches.values()].find(({ ids }) => ids.includes(id));
  return torn === undefined
    ? violation("S1", `no client appended the event at sequence ${at + 1}`, [])
    : violation("S2", `the batch at sequence ${at + 1} is not whole`, torn.sent);
}
