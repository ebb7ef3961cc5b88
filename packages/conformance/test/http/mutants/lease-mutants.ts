import {
  answerJson,
  leafOf,
  mapProblems,
  mapRequests,
  type ServerMutant,
  withHeaders,
} from "./server-mutant.ts";

const LATER = "2026-06-20T13:00:00.000Z";
const SHORTEST_MS = 1_000;

/** Every `leaseMs` that is a number passes through `change`. */
function mapLengths(change: (leaseMs: number) => number): Pick<ServerMutant, "wrap"> {
  return mapRequests(async (request) => {
    if (leafOf(request.url) !== "/claim") return request;
    const text = await request.clone().text();
    const body = text.replace(/"leaseMs":(-?\d+(?:\.\d+)?)/, (_, leaseMs: string) => {
      return `"leaseMs":${change(Number(leaseMs))}`;
    });
    return new Request(request, { method: request.method, body });
  });
}

/** Servers that keep leases badly. */
export const leaseMutants: readonly ServerMutant[] = [
  {
    name: "takes every claim with a key for one that is sent again",
    clause: "W31",
    ...mapRequests(async (request) =>
      leafOf(request.url) === "/claim" && request.headers.has("idempotency-key")
        ? withHeaders(request, { "idempotency-key": "one" })
        : request,
    ),
  },
  {
    name: "rounds a lease to whole milliseconds",
    clause: "W31",
    ...mapLengths(Math.round),
  },
  {
    name: "lets any former worker of a run release it",
    clause: "W31",
    ...mapProblems("fenced", ({ leaf, request }) =>
      leaf === "/claim" && request.method === "DELETE" ? new Response(null, { status: 204 }) : null,
    ),
  },
  {
    name: "claims a run that has finished",
    clause: "W31",
    ...mapProblems("run_finished", ({ leaf, request }) =>
      leaf === "/claim" && request.method === "POST"
        ? answerJson(200, { fence: 1, expiresAt: LATER })
        : null,
    ),
  },
  {
    name: "gives other workers no time to go on",
    clause: "W33",
    leaseGraceMs: 0,
  },
  {
    name: "lets a run that was released fail",
    clause: "W33",
    wrap: (fetch) => async (request) => {
      if (request.method !== "DELETE" || leafOf(request.url) !== "/claim") return fetch(request);
      const { fence } = (await request.clone().json()) as { readonly fence: number };
      const body = JSON.stringify({ fence, leaseMs: SHORTEST_MS });
      await fetch(new Request(request, { method: "PUT", body }));
      return new Response(null, { status: 204 });
    },
  },
];
