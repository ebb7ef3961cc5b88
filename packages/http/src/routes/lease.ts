import { encodeLease } from "@tm/run-events-core/wire";
import { emptyReply, jsonReply } from "../exchange/exchange.ts";
import { empty, json, type Json } from "../openapi/operation.ts";
import { keyParameter } from "../openapi/parameter.ts";
import { schemaRef } from "../openapi/schema.ts";
import { parseClaimBody, parseNumbers } from "../request/bodies.ts";
import { readBody } from "./call-body.ts";
import { claimKeyIn } from "./claim-key.ts";
import { type Call, type Route, RUN_PATH } from "./route.ts";

/** What the routes of a lease have in common. */
const LEASE = { path: `${RUN_PATH}/claim`, access: "any", changes: true } as const;

const claimRun: Route = {
  ...LEASE,
  method: "POST",
  async answer(call) {
    const { context, exchange, runId, ownerId } = call;
    const named = claimKeyIn(exchange);
    const asked = parseClaimBody(await readBody(call));
    await call.takeTurn("short");
    const lease = await context.log.claim(runId, { ...asked, ownerId, ...named });
    return jsonReply(200, encodeLease(lease));
  },
  operation: {
    tag: "leases",
    id: "claimRun",
    summary: "Claims a run, unless another worker has a lease on it (W31)",
    description:
      "The run then takes appends with this fence only, until the lease is released, the run is claimed again after the lease has expired, or the run has ended. A worker that does not renew its lease in time may lose it. A run that is not claimed again ends as failed.",
    parameters: [
      keyParameter("A claim with the same key gets the same lease again, until the lease expires."),
    ],
    requestBody: bodyOf("ClaimRun"),
    answers: { 200: json("The lease.", "Lease") },
    codes: ["run_finished", "payload_too_large", "claimed"],
  },
};

const renewLease: Route = {
  ...LEASE,
  method: "PUT",
  async answer(call) {
    const { context, runId, ownerId } = call;
    const { fence, leaseMs } = await readNumbers(call, "fence", "leaseMs");
    return jsonReply(200, encodeLease(await context.log.renew(runId, fence, { ownerId, leaseMs })));
  },
  operation: {
    tag: "leases",
    id: "renewLease",
    summary: "Renews a lease: it runs `leaseMs` from now (W31)",
    description:
      "An expired lease can be renewed too, unless another worker has claimed the run since.",
    requestBody: bodyOf("RenewLease"),
    answers: { 200: json("The lease.", "Lease") },
    codes: ["run_finished", "payload_too_large", "fenced"],
  },
};

const releaseRun: Route = {
  ...LEASE,
  method: "DELETE",
  async answer(call) {
    const { context, runId, ownerId } = call;
    const { fence } = await readNumbers(call, "fence");
    await context.log.release(runId, fence, { ownerId });
    return emptyReply();
  },
  operation: {
    tag: "leases",
    id: "releaseRun",
    summary: "Releases a run, which stays as it is (W31)",
    description: "Idempotent: to release the run again is not an error.",
    requestBody: bodyOf("ReleaseRun"),
    answers: { 204: empty("The run is free.") },
    codes: ["run_finished", "payload_too_large", "fenced"],
  },
};

/** The routes of a lease: claim, renew and release. @see clause W31 in `WIRE.md` */
export const LEASE_ROUTES: readonly Route[] = [claimRun, renewLease, releaseRun];

function bodyOf(schema: string): Json {
  return { required: true, content: { "application/json": { schema: schemaRef(schema) } } };
}

async function readNumbers<Name extends string>(
  call: Call,
  ...names: readonly Name[]
): Promise<Readonly<Record<Name, number>>> {
  const numbers = parseNumbers(await readBody(call), names);
  await call.takeTurn("short");
  return numbers;
}
