import {
  answerJson,
  leafOf,
  mapBodies,
  mapProblems,
  mapRequests,
  type ServerMutants,
  withHeaders,
} from "./server-mutant.ts";

const LATER = "2026-06-20T13:00:00.000Z";
const SHORTEST_MS = 1_000;

/** Servers that keep leases badly. */
export const leaseMutants: ServerMutants = {
  "takes every claim with a key for one that is sent again (W31)": mapRequests(async (request) =>
    leafOf(request.url) === "/claim" && request.headers.has("idempotency-key")
      ? withHeaders(request, { "idempotency-key": "one" })
      : request,
  ),
  "rounds a lease to whole milliseconds (W31)": mapBodies("POST /claim", (text) =>
    text.replace(/"leaseMs":(\d+\.\d+)/, (_, ms) => `"leaseMs":${Math.round(Number(ms))}`),
  ),
  "lets any former worker of a run release it (W31)": mapProblems("fenced", ({ leaf, request }) =>
    leaf === "/claim" && request.method === "DELETE" ? new Response(null, { status: 204 }) : null,
  ),
  "claims a run that has finished (W31)": mapProblems("run_finished", ({ leaf, request }) =>
    leaf === "/claim" && request.method === "POST"
      ? answerJson(200, { fence: 1, expiresAt: LATER })
      : null,
  ),
  "gives other workers no time to go on (W33)": { leaseGraceMs: 0 },
  "lets a run that was released fail (W33)": mapRequests(async (request, _, fetch) => {
    if (request.method !== "DELETE" || leafOf(request.url) !== "/claim") return request;
    const { fence } = (await request.clone().json()) as { readonly fence: number };
    const body = JSON.stringify({ fence, leaseMs: SHORTEST_MS });
    await fetch(new Request(request, { method: "PUT", body }));
    return new Response(null, { status: 204 });
  }),
};
