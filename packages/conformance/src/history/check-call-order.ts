import type { AppendOperation, Violation } from "./operation.ts";
import { type PlacedLog, violation } from "./placed-batches.ts";
import { metPlace, seenPlace } from "./seen-place.ts";

/** The requests of one call for one run, in the order of the call. */
type Call = readonly AppendOperation[];

/** What a request shows of how many batches had landed. */
interface Landed {
  /** When it happened, before it did anything. */
  readonly atMost: number;
  /** At the least, when it had happened. */
  readonly after: number;
}

const ANY_COUNT: Landed = { atMost: Infinity, after: 0 };

/** The calls that have more than one request for the run. */
export function callsOfMany(appends: readonly AppendOperation[]): readonly Call[] {
  const ofClients = Map.groupBy(appends, ({ client }) => client).values();
  return [...ofClients].flatMap((ofClient) =>
    [...Map.groupBy(ofClient, ({ call }) => call).values()].filter((call) => call.length > 1),
  );
}

/**
 * A batch that was sent without an answer more than once may have landed by any of the requests. Takes those away which the
 * order of their own call rules out, as far as it is certain by which request the others of the call landed.
 */
export function narrowLanders(log: PlacedLog, calls: readonly Call[]): PlacedLog {
  if (log.landed.every(({ landers }) => landers.length === 1)) return log;
  const ruledOut = new Set(calls.flatMap((call) => ruledOutIn(log, call)));
  const landed = log.landed.map((batch) =>
    batch.landers.length === 1
      ? batch
      : { ...batch, landers: batch.landers.filter((one) => !ruledOut.has(one)) },
  );
  return { ...log, landed };
}

/**
 * Whether the requests of each call can have happened in their order: what a request saw, met or made of the log is there for
 * all after it. Since one that saw a head happened within its call, such an order is one in time too.
 * @see clause S2 in `STORE.md`
 */
export function checkCallOrder(log: PlacedLog, calls: readonly Call[]): Violation | null {
  for (const { landers, sent, lastSequence } of log.landed) {
    if (landers.length > 0) continue;
    const message = `the batch that ends at ${lastSequence} landed in the order of no call that sent it`;
    return violation("S2", message, sent);
  }
  for (const call of calls) {
    let reached = 0;
    let by: AppendOperation | undefined;
    for (const request of call) {
      const { atMost, after } = landedOf(log, request);
      if (by !== undefined && atMost < reached) {
        return violation("S2", "requests of one call happened in another order", [by, request]);
      }
      if (after <= reached) continue;
      reached = after;
      by = request;
    }
  }
  return null;
}

function ruledOutIn(log: PlacedLog, call: Call): readonly AppendOperation[] {
  const counts = call.map((request) => landedOf(log, request));
  const reached = runningOf(counts, (sofar, { after }) => Math.max(sofar, after), 0);
  const allowed = runningOf(
    counts.toReversed(),
    (sofar, { atMost }) => Math.min(sofar, atMost),
    Infinity,
  ).toReversed();
  return call.filter((request, index) => {
    const place = log.batches.get(request.ids[0])?.place ?? null;
    if (place === null) return false;
    return place <= (reached[index] ?? 0) || place > (allowed[index] ?? Infinity);
  });
}

/** What holds in front of each. */
function runningOf(
  counts: readonly Landed[],
  next: (sofar: number, count: Landed) => number,
  first: number,
): readonly number[] {
  let sofar = first;
  return counts.map((count) => {
    const before = sofar;
    sofar = next(sofar, count);
    return before;
  });
}

function landedOf(log: PlacedLog, request: AppendOperation): Landed {
  const seen = seenPlace(log, request);
  if (seen !== null) return { atMost: seen, after: seen };
  const met = metPlace(log, request);
  if (met !== null) return { atMost: Infinity, after: met };
  const place = log.batches.get(request.ids[0])?.place ?? null;
  const landers = place === null ? [] : log.landed[place - 1]?.landers;
  return place !== null && landers?.length === 1 && landers[0] === request
    ? { atMost: place - 1, after: place }
    : ANY_COUNT;
}
