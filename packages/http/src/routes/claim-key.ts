import { parseIdempotencyKey } from "@tm/run-events-core/wire";
import type { Call } from "./route.ts";

/**
 * The key of a claim, from `Idempotency-Key`: a claim that is sent again because its answer was lost gets the same lease.
 * @throws RunEventsError `invalid_request` unless it is a key
 * @see clauses W31 and W36 in `WIRE.md`
 */
export function claimKeyIn(exchange: Call["exchange"]): { readonly idempotencyKey?: string } {
  const key = exchange.header("idempotency-key");
  return key === null ? {} : { idempotencyKey: parseIdempotencyKey(key) };
}
