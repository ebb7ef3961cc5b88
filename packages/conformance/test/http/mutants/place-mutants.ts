import { mapProblems, mapRequests, type ServerMutant, withBody } from "./server-mutant.ts";

type Body = Readonly<Record<string, unknown>>;

/** The body of every creation that is an object passes through `change`. */
function mapCreations(change: (body: Body) => Body): Pick<ServerMutant, "wrap"> {
  return mapRequests(async (request) => {
    if (request.method !== "POST" || !request.url.endsWith("/agent-runs")) return request;
    const text = await request.clone().text();
    if (!text.startsWith('{"')) return request;
    const body = JSON.stringify(change(JSON.parse(text) as Body));
    return new Request(request, { method: "POST", body });
  });
}

/** Servers that give a topic to two runs, or to none. */
export const placeMutants: readonly ServerMutant[] = [
  {
    name: "ignores `exclusive`",
    clause: "W35",
    ...mapCreations((body) => {
      const { exclusive: _, ...rest } = body;
      return rest;
    }),
  },
  {
    name: "takes every run of a topic for an exclusive one",
    clause: "W35",
    ...mapCreations((body) =>
      typeof body["topic"] === "string" ? { ...body, exclusive: true } : body,
    ),
  },
  {
    name: "takes `exclusive` without a topic for nothing",
    clause: "W35",
    ...mapCreations((body) =>
      body["topic"] === undefined || body["topic"] === null ? { ...body, exclusive: false } : body,
    ),
  },
  {
    name: "takes any value of `exclusive` for true or false",
    clause: "W35",
    ...mapCreations((body) =>
      body["exclusive"] === undefined ? body : { ...body, exclusive: Boolean(body["exclusive"]) },
    ),
  },
  {
    name: "does not say which run has the topic",
    clause: "W35",
    ...mapProblems("topic_busy", (answer) => {
      const { runId: _, ...rest } = answer.json;
      return withBody(answer, rest);
    }),
  },
  {
    name: "answers the run that has the topic to a second creation",
    clause: "W35",
    ...mapProblems("topic_busy", async (answer) => {
      const url = `${answer.request.url}/${String(answer.json["runId"])}`;
      return answer.fetch(new Request(url, { headers: answer.request.headers }));
    }),
  },
  {
    name: "keeps the place of a topic for ever",
    clause: "W35",
    wrap(fetch) {
      const busy = new Map<string, Response>();
      return async (request) => {
        const isCreation = request.method === "POST" && request.url.endsWith("/agent-runs");
        const text = isCreation ? await request.clone().text() : "";
        const topic = /"topic":"[^"]*"/.exec(text)?.[0];
        const known = topic !== undefined && !text.includes("runId") ? busy.get(topic) : undefined;
        if (known !== undefined) return known.clone();
        const response = await fetch(request);
        if (topic !== undefined && response.status === 409) busy.set(topic, response.clone());
        return response;
      };
    },
  },
];
