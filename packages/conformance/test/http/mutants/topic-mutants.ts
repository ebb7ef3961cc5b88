import type { ServerBreakage } from "../memory-server.ts";
import {
  mapAnswers,
  mapBodies,
  mapQueries,
  type ServerMutants,
  withBody,
} from "./server-mutant.ts";

/** Servers that take a topic for something else, or lists of it. */
export const topicMutants: ServerMutants = {
  "forgets the topic of a run when it ends (W34)": mapAnswers((answer) =>
    answer.json["topic"] != null && answer.json["finishedAt"] !== null
      ? withBody(answer, { ...answer.json, topic: null })
      : null,
  ),
  "forgets the topic after the first page (W34)": mapLists((query) => {
    if (query.has("cursor")) query.delete("topic");
  }),
  "decodes a topic twice (W34)": mapLists((query) => {
    const topic = query.get("topic");
    if (topic !== null && /%\d\d/.test(topic)) query.set("topic", decodeURIComponent(topic));
  }),
  "takes an empty topic for none (W34)": mapLists((query) => {
    if (query.get("topic") === "") query.delete("topic");
  }),
  "counts the characters of a topic in UTF-16 units (W34)": mapTopics((topic) =>
    topic.length > 200 ? "" : topic,
  ),
  "takes control characters out of a topic (W34)": mapTopics(
    (topic) => topic.replace(/\p{Cc}/gu, "") || topic,
  ),
};

/** Every list's query passes through `change`. */
function mapLists(change: (query: URLSearchParams) => void): ServerBreakage {
  return mapQueries((query, { method, url }) => {
    if (method === "GET" && new URL(url).pathname.endsWith("/agent-runs")) change(query);
  });
}

/** The topic of every creation passes through `change`. */
function mapTopics(change: (topic: string) => string): ServerBreakage {
  return mapBodies("POST runs", (text) => {
    const body = JSON.parse(text) as { readonly topic?: unknown };
    const { topic } = body;
    return typeof topic === "string" ? JSON.stringify({ ...body, topic: change(topic) }) : text;
  });
}
