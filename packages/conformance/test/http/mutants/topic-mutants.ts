import { TOKENS } from "../users.ts";
import {
  answerProblem,
  mapAnswers,
  mapRequests,
  type ServerMutant,
  withBody,
  withHeaders,
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
    name: "shows no topic in lists",
    clause: "W34",
    ...mapAnswers((answer) => {
      const { runs } = answer.json;
      if (!Array.isArray(runs)) return null;
      const bare = runs.map((run: object) => ({ ...run, topic: null }));
      return withBody(answer, { ...answer.json, runs: bare });
    }),
  },
  {
    name: "answers an existing run with the topic of the creation that finds it",
    clause: "W34",
    ...mapAnswers(async (answer) => {
      const { request, status, leaf } = answer;
      if (status !== 200 || leaf !== null || request.method !== "POST") return null;
      const { topic = null } = (await request.clone().json()) as { readonly topic?: string | null };
      return withBody(answer, { ...answer.json, topic });
    }),
  },
  {
    name: "lists runs of every topic",
    clause: "W34",
    ...mapLists((query) => query.delete("topic")),
  },
  {
    name: "forgets the topic after the first page",
    clause: "W34",
    ...mapLists((query) => {
      if (query.has("cursor")) query.delete("topic");
    }),
  },
  {
    name: "takes a plus in the query of a topic for a plus",
    clause: "W34",
    ...mapRequests((request, url) => {
      if (!url.searchParams.has("topic")) return request;
      url.search = url.search.replaceAll("+", "%2B");
      return new Request(url, request);
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
    name: "cuts the spaces around a topic",
    clause: "W34",
    ...mapLists((query) => {
      const topic = query.get("topic");
      if (topic !== null) query.set("topic", topic.trim());
    }),
  },
  {
    name: "lists other users' runs of the topic too",
    clause: "W34",
    ...mapAnswers(async (answer) => {
      const { request, json, fetch } = answer;
      if (!Array.isArray(json["runs"]) || !request.url.includes("topic=")) return null;
      const mine = request.headers.get("authorization")?.replace("Bearer ", "");
      const other = TOKENS.find((token) => token !== mine);
      const theirs = await fetch(withHeaders(request, { authorization: `Bearer ${other}` }));
      const more = ((await theirs.json()) as { readonly runs: readonly object[] }).runs;
      return withBody(answer, { ...json, runs: [...(json["runs"] as object[]), ...more] });
    }),
  },
  {
    name: "takes only running runs for live",
    clause: "W34",
    ...mapLists((query) => {
      if (query.get("status") === "live") query.set("status", "running");
    }),
  },
  {
    name: "takes every run of a topic for a live one",
    clause: "W34",
    ...mapLists((query) => {
      if (query.get("status") === "live" && query.has("topic")) query.delete("status");
    }),
  },
  {
    name: "takes the first of two topics",
    clause: "W34",
    ...mapLists((query) => {
      const topic = query.get("topic");
      if (topic !== null) query.set("topic", topic);
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
    name: "cuts a topic that is too long",
    clause: "W34",
    ...mapTopics((topic) => Array.from(topic).slice(0, 200).join("")),
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
