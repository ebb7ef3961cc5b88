import { answers } from "@tm/run-events-core/wire";
import { emptyReply, jsonReply } from "../exchange/exchange.ts";
import { json } from "../contract/operation.ts";
import { CLAIM_RUN, RELEASE_RUN, RENEW_LEASE } from "../contract/bodies.ts";
import { keyHeader } from "../contract/headers.ts";
import { readBody } from "./call-body.ts";
import { type Route, RUN_PATH } from "./route.ts";

/** The parts that the routes of a lease have in common. */
const LEASE = { path: `${RUN_PATH}/claim`, access: "any", tag: "leases" } as const;

const KEY = keyHeader(
  "A claim with the same key gets the same lease again, until the lease expires.",
);

const claimRun: Route = {
  ...LEASE,
  method: "POST",
  id: "claimRun",
  summary: "Claims a run, unless another worker has a lease on it (W31)",
  description:
    "The run then takes appends with this fence only, until the lease is released, the run is claimed again after the lease has expired, or the run has ended. A worker that does not renew its lease in time may lose it. A run that is not claimed again ends as failed.",
  parameters: [KEY],
  body: CLAIM_RUN,
  answers: { 200: json("The lease.", "Lease") },
  codes: ["run_finished", "payload_too_large", "claimed"],
  async answer(call) {
    const { context, exchange, runId, ownerId } = call;
    const idempotencyKey = KEY.parse(exchange);
    const asked = CLAIM_RUN.parse(await readBody(call));
    await call.takeTurn("short");
    const lease = await context.log.claim(runId, { ...asked, ownerId, idempotencyKey });
    return jsonReply(200, answers.encodeLease(lease));
  },
};

const renewLease: Route = {
  ...LEASE,
  method: "PUT",
  id: "renewLease",
  summary: "Renews a lease: it runs `leaseMs` from now (W31)",
  description:
    "An expired lease can be renewed too, unless another worker has claimed the run since.",
  body: RENEW_LEASE,
  answers: { 200: json("The lease.", "Lease") },
  codes: ["run_finished", "payload_too_large", "fenced"],
  async answer(call) {
    const { context, runId, ownerId } = call;
    const { fence, leaseMs } = RENEW_LEASE.parse(await readBody(call));
    await call.takeTurn("short");
    return jsonReply(
      200,
      answers.encodeLease(await context.log.renew(runId, fence, { ownerId, leaseMs })),
    );
  },
};

const releaseRun: Route = {
  ...LEASE,
  method: "DELETE",
  id: "releaseRun",
  summary: "Releases a run, which stays as it is (W31)",
  description: "Idempotent: to release the run again is not an error.",
  body: RELEASE_RUN,
  answers: { 204: { description: "The run is free." } },
  codes: ["run_finished", "payload_too_large", "fenced"],
  async answer(call) {
    const { context, runId, ownerId } = call;
    const { fence } = RELEASE_RUN.parse(await readBody(call));
    await call.takeTurn("short");
    await context.log.release(runId, fence, { ownerId });
    return emptyReply();
  },
};

/** The routes of a lease: claim, renew and release. @see clause W31 in `WIRE.md` */
export const LEASE_ROUTES: readonly Route[] = [claimRun, renewLease, releaseRun];
