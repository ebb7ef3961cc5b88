import type { AppendOperation, LogOperation, Violation } from "./operation.ts";
import { type Batch, type PlacedLog, violation } from "./placed-batches.ts";
import { metPlace, seenPlace } from "./seen-place.ts";

/** An instant that a batch must have landed after, or before, and the call that shows it. */
interface Bound {
  readonly at: number;
  readonly by: LogOperation | null;
}

const FROM_EVER: Bound = { at: -Infinity, by: null };
const FOR_EVER: Bound = { at: Infinity, by: null };

/**
 * Whether there are instants at which the batches can have landed, in the order of the log, each within the call that sent
 * it, so that every head was read while it was the head. Each call bounds some instants: a call that read the head of batch n
 * did so after n had landed and before n + 1 had. What holds of a batch at the earliest holds of all after it. There are such
 * instants exactly if no earliest instant is after the latest of the same batch.
 * @see clauses S1, S4 and S10 in `STORE.md`
 */
export function checkOrder(log: PlacedLog, operations: readonly LogOperation[]): Violation | null {
  const bounds = { earliest: [FROM_EVER], latest: [FOR_EVER] };
  for (const { sent, landers } of log.landed) {
    bounds.earliest.push(firstBegun(landers));
    bounds.latest.push(firstAcknowledged(sent));
  }
  // Nothing lands after the last batch, no matter what was seen of it.
  bounds.earliest.push(FROM_EVER);
  for (const operation of operations) {
    if (operation.endedAt === null) continue;
    const met = operation.kind === "append" ? metPlace(log, operation) : null;
    if (met !== null) keepEarlier(bounds.latest, met, { at: operation.endedAt, by: operation });
    const place = seenPlace(log, operation);
    if (place === null) continue;
    keepEarlier(bounds.latest, place, { at: operation.endedAt, by: operation });
    keepLater(bounds.earliest, place + 1, { at: operation.begunAt, by: operation });
  }
  return findContradiction(log, bounds.earliest, bounds.latest);
}

function findContradiction(
  { landed }: PlacedLog,
  earliest: readonly Bound[],
  latest: readonly Bound[],
): Violation | null {
  let after = FROM_EVER;
  for (let place = 1; place <= landed.length; place++) {
    const own = earliest[place] ?? FROM_EVER;
    if (own.at > after.at) after = own;
    const until = latest[place] ?? FOR_EVER;
    if (after.at > until.at) return contradiction(landed[place - 1], after.by, until.by);
  }
  return null;
}

function firstBegun(sent: readonly AppendOperation[]): Bound {
  return sent.reduce<Bound>(
    (first, by) => (by.begunAt < first.at ? { at: by.begunAt, by } : first),
    FOR_EVER,
  );
}

function firstAcknowledged(sent: readonly AppendOperation[]): Bound {
  return sent.reduce<Bound>((first, by) => {
    const isAnswer = by.result.outcome === "appended";
    return isAnswer && by.endedAt !== null && by.endedAt < first.at
      ? { at: by.endedAt, by }
      : first;
  }, FOR_EVER);
}

function keepEarlier(bounds: Bound[], place: number, bound: Bound): void {
  const kept = bounds[place];
  if (kept !== undefined && bound.at < kept.at) bounds[place] = bound;
}

function keepLater(bounds: Bound[], place: number, bound: Bound): void {
  const kept = bounds[place];
  if (kept !== undefined && bound.at > kept.at) bounds[place] = bound;
}

/** `later` began when `earlier` had been answered, and the log has them the other way round. */
function contradiction(
  batch: Batch | undefined,
  later: LogOperation | null,
  earlier: LogOperation | null,
): Violation {
  const calls = [earlier, later].filter((one) => one !== null);
  const end = batch?.lastSequence ?? 0;
  if (later?.kind === "append" && later.result.outcome === "appended") {
    return earlier?.kind === "append"
      ? violation(
          "S4",
          `an append came before one that had been acknowledged when it began, at ${end}`,
          calls,
        )
      : violation("S4", `the batch that ends at ${end} was seen before its append began`, calls);
  }
  return earlier?.kind === "read"
    ? violation("S1", `a head before ${end} was answered after ${end} had been read`, calls)
    : violation(
        "S10",
        `a head before ${end} was answered after ${end} had been acknowledged`,
        calls,
      );
}
