import { TOKENS } from "../users.ts";
import {
  answerProblem,
  leafOf,
  mapAnswers,
  mapRequests,
  runOf,
  type ServerMutant,
  withHeaders,
} from "./server-mutant.ts";

const MOST = 1_000;

/** Servers that take `tail` for something else, or say that a reader begins elsewhere. */
export const tailMutants: readonly ServerMutant[] = [
  {
    name: "begins at most 500 events before the end",
    clause: "W45",
    ...mapCount("/events", (count) => (count > MOST ? count : Math.min(500, count))),
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
    name: "never holds a poll with tail",
    clause: "W17",
    ...mapTails("/events", (query) => query.delete("wait")),
  },
  {
    name: "takes every ETag for that of a page with tail",
    clause: "W18",
    ...mapTails("/events", (_, request) =>
      request.headers.has("if-none-match") ? { "if-none-match": "*" } : {},
    ),
  },
  {
    name: "refuses HEAD with tail",
    clause: "W19",
    wrap: (fetch) => async (request) =>
      request.method === "HEAD" && request.url.includes("tail=")
        ? answerProblem(400, "invalid_request")
        : fetch(request),
  },
  {
    name: "shows the last events of another user's run",
    clause: "W4",
    ...mapAnswers(({ request, status, fetch }) => {
      if (status !== 404 || !request.url.includes("/events?tail=")) return null;
      const mine = request.headers.get("authorization")?.replace("Bearer ", "");
      const other = TOKENS.find((token) => token !== mine);
      return fetch(withHeaders(request, { authorization: `Bearer ${other}`, cookie: null }));
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
