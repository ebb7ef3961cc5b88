import {
  answerJson,
  answerProblem,
  mapAnswers,
  mapProblems,
  runOf,
  type ServerMutant,
  withBody,
} from "./server-mutant.ts";

/** Servers whose other answers are wrong. */
export const answerMutants: readonly ServerMutant[] = [
  {
    name: "shows a stranger that a run exists",
    clause: "W4",
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
  {
    name: "answers problems without a code",
    clause: "W7",
    ...mapProblems("run_finished", (answer) => {
      const { code: _, ...rest } = answer.json;
      return withBody(answer, rest);
    }),
  },
  {
    name: "has a sentence as the type of a problem",
    clause: "W31",
    ...mapProblems("claimed", (answer) =>
      withBody(answer, { ...answer.json, type: "Another worker has the run." }),
    ),
  },
  {
    name: "acknowledges an append after the end",
    clause: "W7",
    ...mapProblems("run_finished", ({ json: { lastSequence, runStatus } }) => {
      const sequence = Number(lastSequence) + 1;
      const receipt = { firstSequence: sequence, lastSequence: sequence, runStatus };
      return answerJson(201, { ...receipt, currentPhase: null, replayed: false });
    }),
  },
  {
    name: "appends a batch up to its bad event",
    clause: "W9",
    ...mapProblems("invalid_event", async ({ request, json: { index }, fetch }) => {
      const { events = [] } = (await request.clone().json()) as { readonly events?: object[] };
      const body = JSON.stringify({ events: events.slice(0, Number(index)) });
      await fetch(new Request(request, { method: "POST", body }));
      return null;
    }),
  },
  {
    name: "acknowledges an append that races another and loses it",
    clause: "W11",
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
  {
    name: "refuses the owner's own id",
    clause: "W8",
    ...mapAnswers(({ status, leaf, request }) =>
      status === 200 && leaf === null && request.method === "POST"
        ? answerProblem(409, "run_active")
        : null,
    ),
  },
  {
    name: "answers a replayed append as a new one",
    clause: "W10",
    ...mapAnswers((answer) =>
      answer.json["replayed"] === true
        ? withBody(answer, { ...answer.json, replayed: false })
        : null,
    ),
  },
  {
    name: "does not name the bad line",
    clause: "W12",
    ...mapAnswers((answer) => {
      const { line, ...rest } = answer.json;
      return line === undefined ? null : withBody(answer, rest);
    }),
  },
  {
    name: "shows a run that has begun as queued",
    clause: "W6",
    ...mapAnswers((answer) =>
      answer.json["runStatus"] === "running" && answer.leaf === null
        ? withBody(answer, { ...answer.json, runStatus: "queued" })
        : null,
    ),
  },
  {
    name: "refuses to cancel what has ended",
    clause: "W13",
    wrap: (fetch) => async (request) => {
      if (!request.url.endsWith("/cancel")) return fetch(request);
      const { finishedAt, runStatus } = await runOf(fetch, request);
      return finishedAt === null || finishedAt === undefined
        ? fetch(request)
        : answerProblem(409, "run_finished", { runStatus });
    },
  },
  {
    name: "deletes live runs",
    clause: "W14",
    ...mapProblems("run_active", async ({ request, fetch }) => {
      const { headers, url } = request;
      await fetch(new Request(`${url}/cancel`, { method: "POST", headers }));
      return fetch(new Request(url, { method: "DELETE", headers }));
    }),
  },
  {
    name: "ends no page of the list at its bytes",
    clause: "W14",
    ...mapAnswers(async (answer) => {
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
  },
  {
    name: "lets browsers guess what a problem is",
    clause: "W3",
    ...mapAnswers(({ status, headers, text }) => {
      if (status < 400) return null;
      const changed = new Headers(headers);
      changed.delete("x-content-type-options");
      return new Response(text, { status, headers: changed });
    }),
  },
  {
    name: "lets a user's bodies fill the memory",
    clause: "W49",
    settings: { maxBytesPerUser: Infinity },
  },
  {
    name: "lets a user hold any number of streams",
    clause: "W28",
    settings: { maxStreamsPerUser: 1_000 },
  },
];
