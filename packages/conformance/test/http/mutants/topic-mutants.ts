import {
  answerProblem,
  mapAnswers,
  mapRequests,
  type ServerMutant,
  withBody,
} from "./server-mutant.ts";

/** Servers that take a topic for something else, or lists of it. */
export const topicMutants: readonly ServerMutant[] = [
  {
    name: "forgets the topic of a run when it ends",
    clause: "W34",
    ...mapAnswers((answer) =>
      answer.json["topic"] != null && answer.json["finishedAt"] !== null
        ? withBody(answer, { ...answer.json, topic: null })
        : null,
    ),
  },
  {
    name: "forgets the topic after the first page",
    clause: "W34",
    ...mapLists((query) => {
      if (query.has("cursor")) query.delete("topic");
    }),
  },
  {
    name: "decodes a topic twice",
    clause: "W34",
    ...mapLists((query) => {
      const topic = query.get("topic");
      if (topic !== null && /%\d\d/.test(topic)) query.set("topic", decodeURIComponent(topic));
    }),
  },
  {
    name: "takes an empty topic for none",
    clause: "W34",
    ...mapLists((query) => {
      if (query.get("topic") === "") query.delete("topic");
    }),
  },
  {
    name: "counts the characters of a topic in UTF-16 units",
    clause: "W34",
    ...mapTopics((topic) => (topic.length > 200 ? null : topic)),
  },
  {
    name: "takes control characters out of a topic",
    clause: "W34",
    ...mapTopics((topic) => topic.replace(/\p{Cc}/gu, "") || topic),
  },
];

/** Every list's query passes through `change`. */
function mapLists(change: (query: URLSearchParams) => void): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    if (request.method !== "GET" || !url.pathname.endsWith("/agent-runs")) return request;
    change(url.searchParams);
    return new Request(url, request);
  });
}

/** The topic of every creation passes through `change`; `null` refuses it. */
function mapTopics(change: (topic: string) => string | null): Pick<ServerMutant, "wrap"> {
  return {
    wrap: (fetch) => async (request) => {
      if (request.method !== "POST" || !request.url.endsWith("/agent-runs")) return fetch(request);
      const body = JSON.parse(await request.clone().text()) as { readonly topic?: unknown };
      if (typeof body.topic !== "string") return fetch(request);
      const topic = change(body.topic);
      if (topic === null) return answerProblem(400, "invalid_request");
      const text = JSON.stringify({ ...body, topic });
      return fetch(new Request(request, { method: "POST", body: text }));
    },
  };
}
