import type { Fetch } from "@tm/run-events-conformance/http";
import { TOKENS } from "../users.ts";
import {
  answerProblem,
  leafOf,
  mapAnswers,
  mapFrames,
  mapPages,
  mapRequests,
  runOf,
  type ServerMutant,
  withBody,
  withHeaders,
} from "./server-mutant.ts";

const MOST = 1_000;

/** Servers that take `tail` for something else, or say that a reader begins elsewhere. */
export const tailMutants: readonly ServerMutant[] = [
  {
    name: "begins a page one event too late",
    clause: "W45",
    ...mapCount("/events", (count) => Math.max(1, count - 1)),
  },
  {
    name: "begins a page one event too early",
    clause: "W45",
    ...mapCount("/events", (count) => Math.min(MOST, count + 1)),
  },
  {
    name: "begins a stream one event too late",
    clause: "W45",
    ...mapCount("/stream", (count) => Math.max(1, count - 1)),
  },
  {
    name: "begins a stream one event too early",
    clause: "W45",
    ...mapCount("/stream", (count) => Math.min(MOST, count + 1)),
  },
  {
    name: "begins at most 500 events before the end",
    clause: "W45",
    ...mapCount("/events", (count) => (count > MOST ? count : Math.min(500, count))),
  },
  {
    name: "begins at most a page before the end",
    clause: "W45",
    ...mapTails("/events", (query) => {
      const [count, limit] = [Number(query.get("tail")), Number(query.get("limit") ?? MOST)];
      if (count > limit) query.set("tail", String(limit));
    }),
  },
  {
    name: "ignores tail on the stream",
    clause: "W45",
    ...mapTails("/stream", (query) => query.delete("tail")),
  },
  {
    name: "ignores tail in polls, and says so",
    clause: "W45",
    ...chain(
      mapTails("/events", (query) => query.delete("tail")),
      sayStart(() => 0),
    ),
  },
  {
    name: "says a cursor one too high in a page",
    clause: "W45",
    ...sayStart(({ since = 0 }) => since + 1),
  },
  {
    name: "says the page's last sequence as its cursor",
    clause: "W45",
    ...sayStart(({ lastSequence }) => lastSequence),
  },
  {
    name: "says a cursor before the first event of a short run",
    clause: "W45",
    ...sayStart(({ lastSequence }, count) => lastSequence - count),
  },
  {
    name: "does not say where a page begins",
    clause: "W45",
    ...mapPages((answer) => {
      const { since, ...rest } = answer.json;
      return since === undefined ? null : withBody(answer, rest);
    }),
  },
  {
    name: "says in connected that the stream begins at 0",
    clause: "W45",
    ...mapConnected((text) =>
      text.replace(/"since":\d+/, '"since":0').replace(/^id: \d+$/m, "id: 0"),
    ),
  },
  {
    name: "takes tail although Last-Event-ID is there",
    clause: "W45",
    ...mapHeaders((id) => (isCursor(id) ? null : id)),
  },
  {
    name: "takes a malformed Last-Event-ID for 0",
    clause: "W45",
    ...mapHeaders((id) => (isCursor(id) ? id : "0")),
  },
  {
    name: "takes the later one of tail and Last-Event-ID",
    clause: "W45",
    wrap: (fetch) => async (request) => {
      const id = request.headers.get("last-event-id");
      const count = Number(new URL(request.url).searchParams.get("tail"));
      if (leafOf(request.url) !== "/stream" || !isCursor(id) || !(count > 0)) return fetch(request);
      const { lastSequence } = await runOf(fetch, request);
      const isSmaller = Number(id) < Number(lastSequence) - count;
      return fetch(isSmaller ? withHeaders(request, { "last-event-id": null }) : request);
    },
  },
  {
    name: "takes tail=0 for all events",
    clause: "W45",
    ...mapTails(null, (query) => {
      if (query.get("tail") === "0") query.delete("tail");
    }),
  },
  {
    name: "takes the largest tail for one that is too large",
    clause: "W45",
    ...mapCount(null, (count) => Math.min(MOST, count)),
  },
  {
    name: "takes the first of two tails",
    clause: "W45",
    ...mapTails(null, (query) => query.set("tail", query.get("tail") ?? "")),
  },
  {
    name: "takes tail although since is there",
    clause: "W45",
    ...mapTails(null, (query) => query.delete("since")),
  },
  {
    name: "takes since although tail is there",
    clause: "W45",
    ...mapTails(null, (query) => {
      if (query.has("since")) query.delete("tail");
    }),
  },
  {
    name: "takes a bad tail on the stream if Last-Event-ID is there",
    clause: "W45",
    ...mapTails("/stream", (query, request) => {
      if (isCursor(request.headers.get("last-event-id"))) query.delete("tail");
    }),
  },
  {
    name: "never holds a poll with tail",
    clause: "W45",
    ...mapTails("/events", (query) => query.delete("wait")),
  },
  {
    name: "holds a poll with tail until a new event comes",
    clause: "W45",
    ...chain(
      {
        wrap: (fetch) => async (request) => {
          const url = new URL(request.url);
          const query = url.searchParams;
          if (!query.has("tail") || !query.has("wait")) return fetch(request);
          const { lastSequence = 0 } = await runOf(fetch, request);
          query.delete("tail");
          query.set("since", String(lastSequence));
          return fetch(new Request(url, request));
        },
      },
      sayStart(({ since, lastSequence, events }) => since ?? lastSequence - events.length),
    ),
  },
  {
    name: "takes every ETag for that of a page with tail",
    clause: "W45",
    ...mapTails("/events", (_, request) =>
      request.headers.has("if-none-match") ? { "if-none-match": "*" } : {},
    ),
  },
  {
    name: "refuses HEAD with tail",
    clause: "W45",
    wrap: (fetch) => async (request) =>
      request.method === "HEAD" && request.url.includes("tail=")
        ? answerProblem(400, "invalid_request")
        : fetch(request),
  },
  {
    name: "shows the last events of another user's run",
    clause: "W45",
    ...mapAnswers(({ request, status, fetch }) => {
      if (status !== 404 || !request.url.includes("/events?tail=")) return null;
      const mine = request.headers.get("authorization")?.replace("Bearer ", "");
      const other = TOKENS.find((token) => token !== mine);
      return fetch(withHeaders(request, { authorization: `Bearer ${other}`, cookie: null }));
    }),
  },
  {
    name: "shows that another user's run exists",
    clause: "W45",
    ...mapAnswers(async ({ request, status, headers, json, fetch }) => {
      if (status !== 404 || !request.url.includes("tail=")) return null;
      for (const token of TOKENS) {
        const asked = withHeaders(request, { authorization: `Bearer ${token}`, cookie: null });
        if ("code" in (await runOf(fetch, asked))) continue;
        return Response.json({ ...json, detail: "The run is not yours." }, { status, headers });
      }
      return null;
    }),
  },
];

function isCursor(id: string | null): id is string {
  return /^(0|[1-9]\d*)$/.test(id ?? "");
}

/**
 * Every request with `tail` passes its query through `change`, which may return other headers.
 * @param leaf of polls or of the stream; `null` for both
 */
function mapTails(
  leaf: "/events" | "/stream" | null,
  change: (
    query: URLSearchParams,
    request: Request,
  ) => Readonly<Record<string, string>> | undefined | void,
): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    const isMeant = leaf === null || leafOf(request.url) === leaf;
    if (!isMeant || request.method === "POST" || !url.searchParams.has("tail")) return request;
    const headers = change(url.searchParams, request) ?? {};
    return withHeaders(new Request(url, request), headers);
  });
}

/** Every `tail` that is a number passes through `change`. */
function mapCount(
  leaf: "/events" | "/stream" | null,
  change: (count: number) => number,
): Pick<ServerMutant, "wrap"> {
  return mapTails(leaf, (query) => {
    const counts = query.getAll("tail");
    const isNumber = counts.length === 1 && /^[1-9]\d*$/.test(counts[0] ?? "");
    if (isNumber) query.set("tail", String(change(Number(counts[0]))));
  });
}

/** The `Last-Event-ID` of every stream with `tail` passes through `change`; `null` takes it away. */
function mapHeaders(change: (id: string) => string | null): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    const id = request.headers.get("last-event-id");
    if (id === null || !url.searchParams.has("tail")) return request;
    return withHeaders(request, { "last-event-id": change(id) });
  });
}

/** The first frame of every stream with `tail` passes through `change`. */
function mapConnected(change: (text: string) => string): Pick<ServerMutant, "wrap"> {
  return mapFrames(() => ({ text, message, request }) => [
    message["type"] === "connected" && request.url.includes("tail=") ? change(text) : text,
  ]);
}

/** What a page says about its place in the log. */
interface Place {
  readonly since?: number;
  readonly lastSequence: number;
  readonly events: readonly object[];
}

/** Every page of a request with `tail` says another cursor. */
function sayStart(startOf: (page: Place, count: number) => number): Pick<ServerMutant, "wrap"> {
  return mapPages((answer) => {
    const count = Number(new URL(answer.request.url).searchParams.get("tail"));
    if (answer.status !== 200 || count === 0) return null;
    const since = startOf(answer.json as unknown as Place, count);
    return withBody(answer, { ...answer.json, since });
  });
}

/** Breaks a server in two ways: `second` gets what `first` answers. */
function chain(
  first: Pick<ServerMutant, "wrap">,
  second: Pick<ServerMutant, "wrap">,
): Pick<ServerMutant, "wrap"> {
  const same = (fetch: Fetch): Fetch => fetch;
  return { wrap: (fetch) => (second.wrap ?? same)((first.wrap ?? same)(fetch)) };
}
