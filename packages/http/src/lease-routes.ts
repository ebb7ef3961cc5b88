import { encodeLease } from "@tm/run-events-core/wire";
import { readJson } from "./body.ts";
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
  const { service, runId, ownerId } = call;
  const { leaseMs } = await readNumbers(call, "leaseMs");
  return jsonReply(200, encodeLease(await service.log.claim(runId, { ownerId, leaseMs })));
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
  { service, exchange }: Call,
  ...names: readonly Name[]
): Promise<Readonly<Record<Name, number>>> {
  return parseNumbers(await readJson(exchange, service.maxBodyBytes), names);
}
