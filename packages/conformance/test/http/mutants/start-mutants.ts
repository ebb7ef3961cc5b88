import {
  mapAnswers,
  mapProblems,
  mapRequests,
  type PlainAnswer,
  type ServerMutant,
  withBody,
} from "./server-mutant.ts";

type Body = Readonly<Record<string, unknown>>;

function isCreation(request: Request): boolean {
  return request.method === "POST" && request.url.endsWith("/agent-runs");
}

/** The body of every creation that is an object passes through `change`. */
function mapCreations(change: (body: Body) => Body): Pick<ServerMutant, "wrap"> {
  return mapRequests(async (request) => {
    if (!isCreation(request)) return request;
    const text = await request.clone().text();
    if (!text.startsWith('{"')) return request;
    const body = JSON.stringify(change(JSON.parse(text) as Body));
    return new Request(request, { method: "POST", body });
  });
}

/** Every answer to a creation with a lease passes through `change`. */
function mapStarts(change: (json: Body, answer: PlainAnswer) => Body): Pick<ServerMutant, "wrap"> {
  return mapAnswers((answer) =>
    isCreation(answer.request) && answer.json["fence"] !== undefined
      ? withBody(answer, change(answer.json, answer))
      : null,
  );
}

/** Servers that create a run badly: its claim, or the place of its topic. */
export const startMutants: readonly ServerMutant[] = [
  {
    name: "has the fence of a new run within its lease",
    clause: "W36",
    ...mapStarts(({ fence, ...rest }) => ({
      ...rest,
      fence,
      lease: { ...(rest["lease"] as object), fence },
    })),
  },
  {
    name: "takes the key of a creation without a run id",
    clause: "W36",
    wrap: (fetch) => async (request) => {
      if (!isCreation(request) || (await request.clone().text()).includes('"runId"'))
        return fetch(request);
      const headers = new Headers(request.headers);
      headers.delete("idempotency-key");
      return fetch(new Request(request, { headers }));
    },
  },
  {
    name: "answers a creation of a claimed run with the run",
    clause: "W36",
    ...mapProblems("claimed", async (answer) => {
      if (!isCreation(answer.request)) return null;
      const { leaseMs: _, ...body } = (await answer.request.clone().json()) as Body;
      return answer.fetch(
        new Request(answer.request, { method: "POST", body: JSON.stringify(body) }),
      );
    }),
  },
  {
    name: "ignores a worker's name without a lease",
    clause: "W36",
    ...mapCreations(({ worker, ...rest }) =>
      rest["leaseMs"] === undefined ? rest : { worker, ...rest },
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
    name: "does not say which run has the topic",
    clause: "W35",
    ...mapProblems("topic_busy", (answer) => {
      const { runId: _, ...rest } = answer.json;
      return withBody(answer, rest);
    }),
  },
];
