import {
  answerJson,
  answerProblem,
  leafOf,
  mapAnswers,
  mapProblems,
  mapRequests,
  type ServerMutant,
  withBody,
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
    name: "lets no lease expire",
    clause: "W31",
    wrap(fetch) {
      const ends = new Map<string, unknown>();
      const holding = mapAnswers(({ leaf, status, json, request: { url, method } }) => {
        if (leaf !== "/claim" || status >= 300) return null;
        if (method === "POST" && ends.has(url)) {
          return answerProblem(409, "claimed", { expiresAt: ends.get(url) });
        }
        if (method === "DELETE") ends.delete(url);
        else ends.set(url, json["expiresAt"]);
        return null;
      });
      return holding.wrap?.(fetch) ?? fetch;
    },
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
    name: "shows a stranger that a run is claimed",
    clause: "W4",
    wrap(fetch) {
      const claimed = new Set<string>();
      const telling = mapAnswers(({ leaf, status, request: { url }, json }) => {
        if (leaf === "/claim" && status === 200) claimed.add(url);
        return claimed.has(url) && json["code"] === "not_found"
          ? answerProblem(409, "claimed")
          : null;
      });
      return telling.wrap?.(fetch) ?? fetch;
    },
  },
  {
    name: "does not check the origin of renewals",
    clause: "W5",
    ...mapRequests((request) =>
      request.method === "PUT"
        ? withHeaders(request, { origin: null, "sec-fetch-site": null })
        : request,
    ),
  },
  {
    name: "does not describe release",
    clause: "W30",
    ...mapAnswers((answer) => {
      if (!answer.request.url.endsWith("/openapi.json")) return null;
      const paths = answer.json["paths"] as Readonly<Record<string, object>>;
      const path = "/v1/agent-runs/{runId}/claim";
      return withBody(answer, {
        ...answer.json,
        paths: { ...paths, [path]: { ...paths[path], delete: undefined } },
      });
    }),
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
