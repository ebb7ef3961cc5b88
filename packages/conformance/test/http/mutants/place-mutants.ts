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
    name: "takes `exclusive` without a topic for nothing",
    clause: "W35",
    ...mapCreations((body) =>
      body["topic"] === undefined || body["topic"] === null ? { ...body, exclusive: false } : body,
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
];
