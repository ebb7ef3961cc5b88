import {
  answerJson,
  leafOf,
  mapFrames,
  mapProblems,
  mapRequests,
  type ServerMutant,
  withHeaders,
} from "./server-mutant.ts";

/** Servers that do not say that a log is another one, or say it of the same. */
export const historyMutants: readonly ServerMutant[] = [
  {
    name: "ends all runs of a stream when one has another history",
    clause: "W46",
    ...mapFrames(() => {
      let isOver = false;
      return ({ text, message }) => {
        const texts = isOver ? [] : [text];
        isOver ||= message["code"] === "history_changed";
        return texts;
      };
    }),
  },
  {
    name: "answers 304 before it looks at at",
    clause: "W46",
    wrap: (fetch) => async (request) =>
      request.headers.get("if-none-match") === "*" && request.url.includes("at=")
        ? new Response(null, { status: 304, headers: { etag: '"x"' } })
        : fetch(request),
  },
  {
    name: "takes the time of the event before since as well",
    clause: "W46",
    ...mapAt(({ at, time, before }) => (at === before ? (time ?? at) : at)),
  },
  {
    name: "lets an event that is missing pass",
    clause: "W46",
    ...mapProblems("history_changed", ({ request, json: { lastSequence } }) => {
      const since = Number(new URL(request.url).searchParams.get("since"));
      if (since <= Number(lastSequence)) return null;
      const rest = { runStatus: "running", currentPhase: null, lastSequence, hasMore: false };
      return answerJson(200, { events: [], ...rest });
    }),
  },
  {
    name: "judges at although Last-Event-ID has won",
    clause: "W46",
    ...mapRequests((request, url) =>
      url.searchParams.has("at") ? withHeaders(request, { "last-event-id": null }) : request,
    ),
  },
];

/** The time in a request, and those of the event `since` and the one before. */
interface Times {
  readonly at: string;
  readonly before: string | undefined;
  readonly time: string | undefined;
}

/** Every time of a poll passes through `change`. */
function mapAt(change: (times: Times) => string): Pick<ServerMutant, "wrap"> {
  return {
    wrap: (fetch) => async (request) => {
      const url = new URL(request.url);
      const at = url.searchParams.get("at");
      const since = Number(url.searchParams.get("since"));
      if (at === null || !(since > 0) || leafOf(request.url) !== "/events") return fetch(request);
      const page = new URL(url);
      page.search = "limit=1000";
      const log = await fetch(new Request(page, { headers: request.headers }));
      if (log.status !== 200) return fetch(request);
      const { events } = (await log.json()) as { events: readonly { createdAt: string }[] };
      const [before, time] = [2, 1].map((back) => events[since - back]?.createdAt);
      url.searchParams.set("at", change({ at, before, time }));
      return fetch(new Request(url, request));
    },
  };
}
