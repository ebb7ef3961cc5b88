import type { ServerBreakage } from "../memory-server.ts";
import {
  isCreation,
  mapAnswers,
  mapBodies,
  mapProblems,
  mapRequests,
  type PlainAnswer,
  type ServerMutants,
  withBody,
  withHeaders,
} from "./server-mutant.ts";

type Body = Readonly<Record<string, unknown>>;

/** The body of every creation that is an object passes through `change`. */
function mapCreations(change: (body: Body) => Body): ServerBreakage {
  return mapBodies("POST runs", (text) =>
    text.startsWith('{"') ? JSON.stringify(change(JSON.parse(text) as Body)) : text,
  );
}

/** Every answer to a creation with a lease passes through `change`. */
function mapStarts(change: (json: Body, answer: PlainAnswer) => Body): ServerBreakage {
  return mapAnswers((answer) =>
    isCreation(answer.request) && answer.json["fence"] !== undefined
      ? withBody(answer, change(answer.json, answer))
      : null,
  );
}

/** Servers that create a run badly: its claim, or the place of its topic. */
export const startMutants: ServerMutants = {
  "has the fence of a new run within its lease (W36)": mapStarts(({ fence, ...rest }) => ({
    ...rest,
    fence,
    lease: { ...(rest["lease"] as object), fence },
  })),
  "takes the key of a creation without a run id (W36)": mapRequests(async (request) =>
    isCreation(request) && !(await request.clone().text()).includes('"runId"')
      ? withHeaders(request, { "idempotency-key": null })
      : request,
  ),
  "answers a creation of a claimed run with the run (W36)": mapProblems(
    "claimed",
    async (answer) => {
      if (!isCreation(answer.request)) return null;
      const { leaseMs: _, ...body } = (await answer.request.clone().json()) as Body;
      return answer.fetch(
        new Request(answer.request, { method: "POST", body: JSON.stringify(body) }),
      );
    },
  ),
  "ignores a worker's name without a lease (W36)": mapCreations(({ worker, ...rest }) =>
    rest["leaseMs"] === undefined ? rest : { worker, ...rest },
  ),
  "takes `exclusive` without a topic for nothing (W35)": mapCreations((body) =>
    body["topic"] === undefined || body["topic"] === null ? { ...body, exclusive: false } : body,
  ),
  "does not say which run has the topic (W35)": mapProblems("topic_busy", (answer) => {
    const { runId: _, ...rest } = answer.json;
    return withBody(answer, rest);
  }),
};
