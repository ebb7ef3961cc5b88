import {
  answerJson,
  answerProblem,
  answerWith,
  mapAnswers,
  mapProblems,
  mapRequests,
  runOf,
  type ServerMutants,
  withBody,
} from "./server-mutant.ts";

/** Servers whose other answers are wrong. */
export const answerMutants: ServerMutants = {
  "shows a stranger that a run exists (W4)": {
    wrap: (fetch) => {
      const known = new Set<string>();
      const { wrap = (same) => same } = mapAnswers((answer) => {
        const { json, status } = answer;
        if (status === 201 && typeof json["runId"] === "string") known.add(json["runId"]);
        const [, , , runId = ""] = new URL(answer.request.url).pathname.split("/");
        if (json["code"] !== "not_found" || !known.has(runId)) return null;
        return withBody(answer, { ...json, detail: "The run is not yours." });
      });
      return wrap(fetch);
    },
  },
  "answers problems without a code (W7)": mapProblems("run_finished", (answer) => {
    const { code: _, ...rest } = answer.json;
    return withBody(answer, rest);
  }),
  "has a sentence as the type of a problem (W31)": mapProblems("claimed", (answer) =>
    withBody(answer, { ...answer.json, type: "Another worker has the run." }),
  ),
  "acknowledges an append after the end (W7)": mapProblems(
    "run_finished",
    ({ json: { lastSequence, runStatus } }) => {
      const sequence = Number(lastSequence) + 1;
      const receipt = { firstSequence: sequence, lastSequence: sequence, runStatus };
      return answerJson(201, { ...receipt, currentPhase: null, replayed: false });
    },
  ),
  "appends a batch up to its bad event (W9)": mapProblems(
    "invalid_event",
    async ({ request, json: { index }, fetch }) => {
      const { events = [] } = (await request.clone().json()) as { readonly events?: object[] };
      const body = JSON.stringify({ events: events.slice(0, Number(index)) });
      await fetch(new Request(request, { method: "POST", body }));
      return null;
    },
  ),
  "acknowledges an append that races another and loses it (W11)": {
    wrap: (fetch) => {
      const busy = new Map<string, Promise<Response>>();
      return async (request) => {
        const other = request.method === "POST" ? busy.get(request.url) : undefined;
        if (other !== undefined) return (await other).clone();
        const answering = fetch(request);
        busy.set(request.url, answering);
        try {
          return (await answering).clone();
        } finally {
          busy.delete(request.url);
        }
      };
    },
  },
  "refuses the owner's own id (W8)": mapAnswers(({ status, leaf, request }) =>
    status === 200 && leaf === null && request.method === "POST"
      ? answerProblem(409, "run_active")
      : null,
  ),
  "answers a replayed append as a new one (W10)": mapAnswers((answer) =>
    answer.json["replayed"] === true ? withBody(answer, { ...answer.json, replayed: false }) : null,
  ),
  "does not name the bad line (W12)": mapAnswers((answer) => {
    const { line, ...rest } = answer.json;
    return line === undefined ? null : withBody(answer, rest);
  }),
  "shows a run that has begun as queued (W6)": mapAnswers((answer) =>
    answer.json["runStatus"] === "running" && answer.leaf === null
      ? withBody(answer, { ...answer.json, runStatus: "queued" })
      : null,
  ),
  "refuses to cancel what has ended (W13)": mapRequests(async (request, _, fetch) => {
    if (!request.url.endsWith("/cancel")) return request;
    const { finishedAt = null, runStatus } = await runOf(fetch, request);
    return finishedAt === null ? request : answerProblem(409, "run_finished", { runStatus });
  }),
  "deletes live runs (W14)": mapProblems("run_active", async ({ request, fetch }) => {
    const { headers, url } = request;
    await fetch(new Request(`${url}/cancel`, { method: "POST", headers }));
    return fetch(new Request(url, { method: "DELETE", headers }));
  }),
  "ends no page of the list at its bytes (W14)": mapAnswers(async (answer) => {
    const { request, json, fetch } = answer;
    const limit = Number(new URL(request.url).searchParams.get("limit"));
    if (!Array.isArray(json["runs"])) return null;
    const runs: unknown[] = [...(json["runs"] as unknown[])];
    let { nextCursor } = json;
    while (typeof nextCursor === "string" && runs.length < limit) {
      const url = new URL(request.url);
      url.searchParams.set("cursor", nextCursor);
      url.searchParams.set("limit", String(limit - runs.length));
      const response = await fetch(new Request(url, { headers: request.headers }));
      const more = (await response.json()) as typeof json;
      runs.push(...(more["runs"] as unknown[]));
      ({ nextCursor } = more);
    }
    return withBody(answer, { ...json, runs, nextCursor });
  }),
  "lets browsers guess what a problem is (W3)": mapAnswers((answer) =>
    answer.status < 400 ? null : answerWith(answer, { "x-content-type-options": null }),
  ),
  "lets a user's bodies fill the memory (W49)": { settings: { maxBytesPerUser: Infinity } },
  "lets a user hold any number of streams (W28)": { settings: { maxStreamsPerUser: 1_000 } },
};
