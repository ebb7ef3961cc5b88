import { TOKENS } from "../users.ts";
import {
  answerJson,
  leafOf,
  mapFrames,
  mapProblems,
  mapRequests,
  runOf,
  type ServerMutant,
  withBody,
  withHeaders,
} from "./server-mutant.ts";

/** Servers that do not say that a log is another one, or say it of the same. */
export const historyMutants: readonly ServerMutant[] = [
  {
    name: "does not look at at in polls",
    clause: "W46",
    ...mapTimes("/events", (query) => query.delete("at")),
  },
  {
    name: "does not look at at on the stream",
    clause: "W46",
    ...mapTimes("/stream", (query) => query.delete("at")),
  },
  {
    name: "does not look at the times of many runs",
    clause: "W46",
    ...mapRequests((request, url) => {
      const runs = url.searchParams.get("runs");
      if (runs === null) return request;
      url.searchParams.set("runs", runs.replaceAll(/@[^,]*/g, ""));
      return new Request(url, request);
    }),
  },
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
    name: "does not look at at when it holds the poll",
    clause: "W46",
    ...mapTimes("/events", (query) => query.has("wait") && query.delete("at")),
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
    name: "compares whole seconds",
    clause: "W46",
    ...mapAt(({ at, time }) => (at.slice(0, 19) === time?.slice(0, 19) ? time : at)),
  },
  {
    name: "takes every time for that of an event that is there",
    clause: "W46",
    ...mapAt(({ at, time }) => time ?? at),
  },
  {
    name: "takes the time of the event after since as well",
    clause: "W46",
    ...mapAt(({ at, time, after }) => (at === after ? (time ?? at) : at)),
  },
  {
    name: "takes the time of the event before since as well",
    clause: "W46",
    ...mapAt(({ at, time, before }) => (at === before ? (time ?? at) : at)),
  },
  {
    name: "refuses the time of the last event",
    clause: "W46",
    ...mapAt(({ at, time, after }) =>
      at === time && after === undefined ? "2020-01-01T00:00:00.000Z" : at,
    ),
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
    name: "answers an event that is missing with cursor_ahead",
    clause: "W46",
    ...mapProblems("history_changed", (answer) => {
      const since = Number(new URL(answer.request.url).searchParams.get("since"));
      if (since <= Number(answer.json["lastSequence"])) return null;
      return withBody(answer, { ...answer.json, code: "cursor_ahead" });
    }),
  },
  {
    name: "takes the end of a finished run for the end of the reader's log",
    clause: "W46",
    ...mapTimes("/events", async (query, request, fetch) => {
      const { lastSequence, finishedAt } = await runOf(fetch, request);
      if (finishedAt !== null && Number(query.get("since")) === Number(lastSequence) + 1)
        query.delete("at");
    }),
  },
  {
    name: "does not say where the log ends now",
    clause: "W46",
    ...mapProblems("history_changed", (answer) => {
      const { lastSequence: _, ...rest } = answer.json;
      return withBody(answer, rest);
    }),
  },
  {
    name: "says on the stream that a reader of another history may come back",
    clause: "W46",
    ...mapFrames(() => ({ text, message }) => [
      message["code"] === "history_changed" ? text.replace("3600000", "2000") : text,
    ]),
  },
  {
    name: "ends the stream of a reader of another history without a word",
    clause: "W46",
    ...mapFrames(
      () =>
        ({ text, message }) =>
          message["code"] === "history_changed" ? [] : [text],
    ),
  },
  {
    name: "answers a stream of another history with a problem",
    clause: "W46",
    wrap: (fetch) => async (request) => {
      const url = new URL(request.url);
      const response = await fetch(request);
      if (leafOf(request.url) !== "/stream" || !url.searchParams.has("at")) return response;
      if (response.status !== 200) return response;
      url.pathname = url.pathname.replace(/stream$/, "events");
      const poll = await fetch(new Request(url, request));
      return poll.status === 409 ? poll : response;
    },
  },
  {
    name: "judges at although Last-Event-ID has won",
    clause: "W46",
    ...mapTimes("/stream", () => ({ "last-event-id": null })),
  },
  {
    name: "takes an empty at for none",
    clause: "W46",
    ...mapTimes(null, (query) => query.get("at") === "" && query.delete("at")),
  },
  {
    name: "takes any text that is a time",
    clause: "W46",
    ...mapTimes(null, (query) => {
      const ms = Date.parse(query.get("at") ?? "");
      if (Number.isFinite(ms)) query.set("at", new Date(ms).toISOString());
    }),
  },
  {
    name: "takes the first of two times",
    clause: "W46",
    ...mapTimes(null, (query) => query.set("at", query.get("at") ?? "")),
  },
  {
    name: "ignores at without an event",
    clause: "W46",
    ...mapTimes(null, (query) => Number(query.get("since")) === 0 && query.delete("at")),
  },
  {
    name: "takes a bad at on the stream if Last-Event-ID is there",
    clause: "W46",
    ...mapTimes("/stream", (query, request) => {
      if (request.headers.has("last-event-id")) query.delete("at");
    }),
  },
  {
    name: "judges at before the owner",
    clause: "W46",
    wrap: (fetch) => async (request) => {
      const response = await fetch(request);
      if (response.status !== 404 || !request.url.includes("at=")) return response;
      for (const token of TOKENS) {
        const own = withHeaders(request, { authorization: `Bearer ${token}`, cookie: null });
        const poll = await fetch(new Request(own.url.replace("/stream", "/events"), own));
        if (poll.status === 409) return poll;
      }
      return response;
    },
  },
  {
    name: "never holds a poll with at",
    clause: "W46",
    ...mapTimes("/events", (query) => query.delete("wait")),
  },
];

type Fetch = Parameters<NonNullable<ServerMutant["wrap"]>>[0];
type Headers = Readonly<Record<string, string | null>>;

/**
 * Every request with `at` passes its query through `change`, which may return other headers.
 * @param leaf of polls or of the stream; `null` for both
 */
function mapTimes(
  leaf: "/events" | "/stream" | null,
  change: (query: URLSearchParams, request: Request, fetch: Fetch) => unknown,
): Pick<ServerMutant, "wrap"> {
  return {
    wrap: (fetch) => async (request) => {
      const url = new URL(request.url);
      const isMeant = leaf === null || leafOf(request.url) === leaf;
      if (!isMeant || request.method === "POST" || !url.searchParams.has("at"))
        return fetch(request);
      const headers = await change(url.searchParams, request, fetch);
      const asked = new Request(url, request);
      return fetch(isHeaders(headers) ? withHeaders(asked, headers) : asked);
    },
  };
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === "object" && value !== null;
}

/** The time in a request, and those of the event `since` and its neighbours. */
interface Times {
  readonly at: string;
  readonly before: string | undefined;
  readonly time: string | undefined;
  readonly after: string | undefined;
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
      const [before, time, after] = [2, 1, 0].map((back) => events[since - back]?.createdAt);
      url.searchParams.set("at", change({ at, before, time, after }));
      return fetch(new Request(url, request));
    },
  };
}
