import { empty, json, OF_RUN, parameter, problems } from "./openapi-operation.ts";
import { schemaRef } from "./openapi-schemas.ts";

type Json = Readonly<Record<string, unknown>>;

function body(schema: string): Json {
  return { required: true, content: { "application/json": { schema: schemaRef(schema) } } };
}

/** Problems of every request on a lease. */
const OF_LEASE = [...OF_RUN, "run_finished", "payload_too_large", "cross_site_request"] as const;

const claimRun: Json = {
  tags: ["leases"],
  operationId: "claimRun",
  summary: "Gives a run to the caller, unless somebody has it (W31)",
  description:
    "From then on the run takes appends with this fence only, until the lease is released, claimed anew after it has run out, or the run has ended. Whoever does not renew a lease in time may lose it, and a run that nobody claims again ends as failed.",
  parameters: [
    parameter(
      "header",
      "Idempotency-Key",
      "Under the key that got the lease the claim is granted that lease again, until it runs out.",
      { type: "string", pattern: "^[\\x20-\\x7e]{1,128}$" },
    ),
  ],
  requestBody: body("ClaimRun"),
  responses: { 200: json("The lease.", "Lease"), ...problems(...OF_LEASE, "claimed") },
};

const renewLease: Json = {
  tags: ["leases"],
  operationId: "renewLease",
  summary: "The lease runs `leaseMs` from now (W31)",
  description: "Also after it has run out, as long as nobody else has claimed the run.",
  requestBody: body("RenewLease"),
  responses: { 200: json("The lease.", "Lease"), ...problems(...OF_LEASE, "fenced") },
};

const releaseRun: Json = {
  tags: ["leases"],
  operationId: "releaseRun",
  summary: "Gives a run back, which stays as it is (W31)",
  description: "To say it again is no error.",
  requestBody: body("ReleaseRun"),
  responses: {
    204: empty("Nobody has the run."),
    ...problems(...OF_LEASE, "fenced"),
  },
};

/** The methods of a run's lease. */
export const LEASE_OPERATIONS: Json = { post: claimRun, put: renewLease, delete: releaseRun };
