import {
  answerProblem,
  leafOf,
  mapAnswers,
  mapFrames,
  mapPages,
  mapRequests,
  runOf,
  type ServerMutant,
  withBody,
} from "./server-mutant.ts";

/** Servers that get inputs, or the runs that wait for them, wrong. */
export const inputMutants: readonly ServerMutant[] = [
  {
    name: "leaves waiting runs out of the list of live ones",
    clause: "W38",
    ...mapAnswers((answer) => {
      const { runs } = answer.json;
      if (!Array.isArray(runs) || !answer.request.url.includes("status=live")) return null;
      const live = (runs as { readonly runStatus: string }[]).filter(
        ({ runStatus }) => runStatus !== "waiting",
      );
      return withBody(answer, { ...answer.json, runs: live });
    }),
  },
  {
    name: "shows on an early page that the run waits",
    clause: "W16",
    ...mapPages(async (answer) => {
      const { runStatus } = await runOf(answer.fetch, answer.request);
      return runStatus === "waiting" ? withBody(answer, { ...answer.json, runStatus }) : null;
    }),
  },
  {
    name: "shows on a stream that the run waits before all events are sent",
    clause: "W38",
    ...mapFrames(() => async ({ text, message, request, fetch }) => {
      if (message["type"] !== "connected") return [text];
      const { runStatus } = await runOf(fetch, request);
      const isEarly = runStatus === "waiting";
      return [isEarly ? text.replace(/"runStatus":"\w+"/, '"runStatus":"waiting"') : text];
    }),
  },
  {
    name: "refuses an input on a claimed run",
    clause: "W39",
    wrap(fetch) {
      const claimed = new Set<string>();
      return async (request) => {
        const leaf = leafOf(request.url) ?? "";
        const run = request.url.slice(0, -leaf.length);
        if (leaf === "/input" && claimed.has(run)) return answerProblem(409, "fenced");
        const response = await fetch(request);
        if (leaf === "/claim" && response.ok) claimed.add(run);
        return response;
      };
    },
  },
  {
    name: "takes inputs by token only",
    clause: "W39",
    wrap: (fetch) => async (request) =>
      leafOf(request.url) === "/input" && !request.headers.has("authorization")
        ? answerProblem(401, "unauthenticated")
        : fetch(request),
  },
  {
    name: "keeps the last of two payloads",
    clause: "W39",
    ...mapInputs(async (request) => {
      const text = await request.clone().text();
      return new Request(request, {
        method: "POST",
        body: text.replace('"payload":1,"payload"', '"payload"'),
      });
    }),
  },
  {
    name: "takes an input in an append",
    clause: "W39",
    wrap: (fetch) => async (request) => {
      if (leafOf(request.url) !== "/events" || request.method !== "POST") return fetch(request);
      const text = await request.clone().text();
      const isJson = request.headers.get("content-type") === "application/json";
      if (!isJson || !text.includes("INPUT_RECEIVED")) return fetch(request);
      const headers = new Headers(request.headers);
      const body = text.replaceAll("INPUT_RECEIVED", "NOTE");
      return fetch(new Request(request.url, { method: "POST", headers, body }));
    },
  },
];

/** Every input passes through `change`. */
function mapInputs(
  change: (request: Request) => Request | Promise<Request>,
): Pick<ServerMutant, "wrap"> {
  return mapRequests((request) => (leafOf(request.url) === "/input" ? change(request) : request));
}
