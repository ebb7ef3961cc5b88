import {
  answerProblem,
  leafOf,
  eachFrame,
  mapAnswers,
  mapBodies,
  mapPages,
  mapRequests,
  runOf,
  type ServerMutants,
  withBody,
} from "./server-mutant.ts";

/** Servers that get inputs, or the runs that wait for them, wrong. */
export const inputMutants: ServerMutants = {
  "leaves waiting runs out of the list of live ones (W38)": mapAnswers((answer) => {
    const { runs } = answer.json;
    if (!Array.isArray(runs) || !answer.request.url.includes("status=live")) return null;
    const live = (runs as { readonly runStatus: string }[]).filter(
      ({ runStatus }) => runStatus !== "waiting",
    );
    return withBody(answer, { ...answer.json, runs: live });
  }),
  "shows on an early page that the run waits (W16)": mapPages(async (answer) => {
    const { runStatus } = await runOf(answer.fetch, answer.request);
    return runStatus === "waiting" ? withBody(answer, { ...answer.json, runStatus }) : null;
  }),
  "shows on a stream that the run waits before all events are sent (W38)": eachFrame(
    async ({ text, message, request, fetch }) => {
      if (message["type"] !== "connected") return [text];
      const { runStatus } = await runOf(fetch, request);
      const isEarly = runStatus === "waiting";
      return [isEarly ? text.replace(/"runStatus":"\w+"/, '"runStatus":"waiting"') : text];
    },
  ),
  "refuses an input on a claimed run (W39)": {
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
  "takes inputs by token only (W4)": mapRequests((request) =>
    leafOf(request.url) === "/input" && !request.headers.has("authorization")
      ? answerProblem(401, "unauthenticated")
      : request,
  ),
  "keeps the last of two payloads (W39)": mapBodies("POST /input", (text) =>
    text.replace('"payload":1,"payload"', '"payload"'),
  ),
  "takes an input in an append (W39)": mapBodies("POST /events", (text) =>
    text.startsWith('{"events"') ? text.replaceAll("INPUT_RECEIVED", "NOTE") : text,
  ),
};
