import { parseIdempotencyKey } from "@tm/run-events-core/store";
import { encodeLease } from "@tm/run-events-core/wire";
import { readBody } from "./call-body.ts";
import { emptyReply, jsonReply, type Reply } from "./exchange.ts";
import { parseNumbers } from "./parameters.ts";
import type { Call, Methods } from "./route.ts";

/** Who may write to a run: claimed, renewed and given back. @see W31 */
export const LEASE_ROUTES: Methods = {
  POST: { access: "any", changes: true, answer: claimRun },
  PUT: { access: "any", changes: true, answer: renewLease },
  DELETE: { access: "any", changes: true, answer: releaseRun },
};

async function claimRun(call: Call): Promise<Reply> {
  const { service, exchange, runId, ownerId } = call;
  const key = exchange.header("idempotency-key");
  // A claim that is sent again because its answer was lost gets the same lease.
  const named = key === null ? {} : { idempotencyKey: parseIdempotencyKey(key) };
  const { leaseMs } = await readNumbers(call, "leaseMs");
  const lease = await service.log.claim(runId, { ownerId, leaseMs, ...named });
  return jsonReply(200, encodeLease(lease));
}

async function renewLease(call: Call): Promise<Reply> {
  const { service, runId, ownerId } = call;
  const { fence, leaseMs } = await readNumbers(call, "fence", "leaseMs");
  return jsonReply(200, encodeLease(await service.log.renew(runId, fence, { ownerId, leaseMs })));
}

async function releaseRun(call: Call): Promise<Reply> {
  const { service, runId, ownerId } = call;
  const { fence } = await readNumbers(call, "fence");
  await service.log.release(runId, fence, { ownerId });
  return emptyReply();
}

async function readNumbers<Name extends string>(
  call: Call,
  ...names: readonly Name[]
): Promise<Readonly<Record<Name, number>>> {
  return parseNumbers(await readBody(call), names);
}
