import {
  answerJson,
  answerProblem,
  leafOf,
  mapAnswers,
  mapProblems,
  mapRequests,
  type PlainAnswer,
  type ServerMutant,
  withBody,
  withHeaders,
} from "./server-mutant.ts";

const LATER = "2026-06-20T13:00:00.000Z";
const SHORTEST_MS = 1_000;
const LONGEST_MS = 3_600_000;

/** Every lease in an answer passes through `change`. */
function mapLeases(
  change: (lease: PlainAnswer["json"], answer: PlainAnswer) => PlainAnswer["json"] | null,
): Pick<ServerMutant, "wrap"> {
  return mapAnswers((answer) => {
    if (answer.leaf !== "/claim" || answer.status !== 200) return null;
    const changed = change(answer.json, answer);
    return changed === null ? null : withBody(answer, changed);
  });
}

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
    name: "gives a claimed run to any other claim",
    clause: "W31",
    ...mapProblems("claimed", () => answerJson(200, { fence: 2, expiresAt: LATER })),
  },
  {
    name: "does not know a claim that is sent again",
    clause: "W31",
    ...mapRequests(async (request) =>
      leafOf(request.url) === "/claim"
        ? withHeaders(request, { "idempotency-key": null })
        : request,
    ),
  },
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
    name: "refuses a claimed run without the end of its lease",
    clause: "W31",
    ...mapProblems("claimed", (answer) => {
      const { expiresAt: _, ...rest } = answer.json;
      return withBody(answer, rest);
    }),
  },
  {
    name: "has the end of a lease in milliseconds",
    clause: "W31",
    ...mapLeases((lease) => ({ ...lease, expiresAt: Date.parse(String(lease["expiresAt"])) })),
  },
  {
    name: "shows a lease as longer than it is",
    clause: "W31",
    ...mapLeases((lease) => ({ ...lease, expiresAt: LATER.replace("13:", "23:") })),
  },
  {
    name: "leases every run for a minute",
    clause: "W31",
    ...mapLengths((leaseMs) =>
      leaseMs >= SHORTEST_MS && leaseMs <= LONGEST_MS && Number.isInteger(leaseMs)
        ? 60_000
        : leaseMs,
    ),
  },
  {
    name: "takes a lease of any length for one that it has",
    clause: "W31",
    ...mapLengths((leaseMs) => Math.min(LONGEST_MS, Math.max(SHORTEST_MS, leaseMs))),
  },
  {
    name: "rounds a lease to whole milliseconds",
    clause: "W31",
    ...mapLengths(Math.round),
  },
  {
    name: "takes a lease's length as text",
    clause: "W31",
    ...mapRequests(async (request) => {
      if (leafOf(request.url) !== "/claim") return request;
      const text = await request.clone().text();
      const body = text.replace(/"leaseMs":"(\d+)"/, '"leaseMs":$1');
      return new Request(request, { method: request.method, body });
    }),
  },
  {
    name: "accepts a renewal and leaves the lease's end where it is",
    clause: "W31",
    wrap(fetch) {
      const given = new Map<string, string>();
      return async (request) => {
        if (leafOf(request.url) !== "/claim") return fetch(request);
        const old = given.get(request.url);
        if (request.method === "PUT" && old !== undefined) {
          return new Response(old, { headers: { "content-type": "application/json" } });
        }
        const response = await fetch(request);
        if (response.status === 200) given.set(request.url, await response.clone().text());
        return response;
      };
    },
  },
  {
    name: "gives a new fence with a renewal",
    clause: "W31",
    ...mapLeases((lease, { request }) =>
      request.method === "PUT" ? { ...lease, fence: Number(lease["fence"]) + 1 } : null,
    ),
  },
  {
    name: "accepts a release and keeps the run",
    clause: "W31",
    wrap: (fetch) => async (request) =>
      request.method === "DELETE" && leafOf(request.url) === "/claim"
        ? new Response(null, { status: 204 })
        : fetch(request),
  },
  {
    name: "answers a release with the lease",
    clause: "W31",
    ...mapAnswers(({ leaf, status }) =>
      leaf === "/claim" && status === 204 ? answerJson(200, { fence: 1, expiresAt: null }) : null,
    ),
  },
  {
    name: "begins with the same fence each time",
    clause: "W31",
    ...mapLeases((lease) => ({ ...lease, fence: 1 })),
  },
  {
    name: "lets any former worker of a run release it",
    clause: "W31",
    ...mapProblems("fenced", ({ leaf, request }) =>
      leaf === "/claim" && request.method === "DELETE" ? new Response(null, { status: 204 }) : null,
    ),
  },
  {
    name: "renews for any former worker of a run",
    clause: "W31",
    ...mapProblems("fenced", async ({ leaf, request }) => {
      if (leaf !== "/claim" || request.method !== "PUT") return null;
      const { fence } = (await request.clone().json()) as { readonly fence: number };
      return answerJson(200, { fence, expiresAt: LATER });
    }),
  },
  {
    name: "renews no expired lease",
    clause: "W31",
    wrap(fetch) {
      const ends = new Map<string, number>();
      return async (request) => {
        if (leafOf(request.url) !== "/claim") return fetch(request);
        const sentMs = performance.now();
        if (request.method === "PUT" && sentMs >= (ends.get(request.url) ?? Infinity)) {
          return answerProblem(409, "fenced");
        }
        const text = await request.clone().text();
        const response = await fetch(request);
        const [, leaseMs] = /"leaseMs":(\d+)/.exec(text) ?? [];
        if (response.status === 200) ends.set(request.url, sentMs + Number(leaseMs));
        return response;
      };
    },
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
    name: "leaves runs whose workers died as they are",
    clause: "W33",
    leaseGraceMs: 9_000_000,
  },
  {
    name: "gives other workers no time to go on",
    clause: "W33",
    leaseGraceMs: 0,
  },
  {
    name: "fails a run without a reason",
    clause: "W33",
    ...mapAnswers((answer) =>
      answer.text.includes("lease_expired")
        ? withBody(answer, answer.text.replace('{"reason":"lease_expired"}', '{"reason":"error"}'))
        : null,
    ),
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
