import {
  answerJson,
  leafOf,
  mapFrames,
  mapProblems,
  mapRequests,
  type ServerMutants,
  withHeaders,
} from "./server-mutant.ts";

/** Servers that do not say that a log is another one, or say it of the same. */
export const historyMutants: ServerMutants = {
  "ends all runs of a stream when one has another history (W46)": mapFrames(() => {
    let isOver = false;
    return ({ text, message }) => {
      const texts = isOver ? [] : [text];
      isOver ||= message["code"] === "history_changed";
      return texts;
    };
  }),
  "answers 304 before it looks at at (W46)": mapRequests((request, url) =>
    request.headers.get("if-none-match") === "*" && url.searchParams.has("at")
      ? new Response(null, { status: 304, headers: { etag: '"x"' } })
      : request,
  ),
  "takes the time of the event before since as well (W46)": mapRequests(
    async (request, url, fetch) => {
      const since = Number(url.searchParams.get("since"));
      if (!url.searchParams.has("at") || leafOf(request.url) !== "/events") return request;
      const page = `${url.origin}${url.pathname}?limit=1000`;
      const log = await fetch(new Request(page, { headers: request.headers }));
      if (log.status !== 200) return request;
      const { events } = (await log.json()) as { events: readonly { createdAt: string }[] };
      const [before, time] = [2, 1].map((back) => events[since - back]?.createdAt);
      if (time === undefined || url.searchParams.get("at") !== before) return request;
      url.searchParams.set("at", time);
      return new Request(url, request);
    },
  ),
  "lets an event that is missing pass (W46)": mapProblems(
    "history_changed",
    ({ request, json: { lastSequence } }) => {
      const since = Number(new URL(request.url).searchParams.get("since"));
      if (since <= Number(lastSequence)) return null;
      const rest = { runStatus: "running", currentPhase: null, lastSequence, hasMore: false };
      return answerJson(200, { events: [], ...rest });
    },
  ),
  "judges at although Last-Event-ID has won (W46)": mapRequests((request, url) =>
    url.searchParams.has("at") ? withHeaders(request, { "last-event-id": null }) : request,
  ),
};
