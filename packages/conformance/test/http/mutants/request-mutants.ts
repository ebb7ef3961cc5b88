import {
  answerProblem,
  leafOf,
  mapQueries,
  mapRequests,
  type ServerMutants,
  withHeaders,
} from "./server-mutant.ts";

/** Servers that take a request for another one. */
export const requestMutants: ServerMutants = {
  "takes a bearer token on the live stream (W19)": mapRequests((request) => {
    const token = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (leafOf(request.url) !== "/stream" || token === undefined) return request;
    return withHeaders(request, { cookie: `session=${token}` });
  }),
  "lets since win over Last-Event-ID (W20)": mapRequests((request, url) =>
    url.searchParams.has("since") ? withHeaders(request, { "last-event-id": null }) : request,
  ),
  "refuses a Last-Event-ID that is malformed (W20)": mapRequests((request) => {
    const id = request.headers.get("last-event-id");
    const isBad = id !== null && !/^(0|[1-9]\d*)$/.test(id);
    return isBad ? answerProblem(400, "invalid_cursor") : request;
  }),
  "repeats the last event to a reader that comes back (W24)": mapRequests((request) => {
    const id = Number(request.headers.get("last-event-id"));
    return id > 0 ? withHeaders(request, { "last-event-id": String(id - 1) }) : request;
  }),
  "passes a request with Sec-Fetch-Site none from any origin (W5)": mapRequests((request) =>
    request.headers.get("sec-fetch-site") === "none"
      ? withHeaders(request, { origin: null })
      : request,
  ),
  "streams to pages of other origins (W5)": mapRequests((request) =>
    leafOf(request.url) === "/stream"
      ? withHeaders(request, { origin: null, "sec-fetch-site": null })
      : request,
  ),
  "holds no poll that waits (W17)": mapQueries((query) => {
    if (/^\d/.test(query.get("wait") ?? "")) query.set("wait", "0");
  }),
  "holds a poll of a run that has ended (W17)": {
    wrap: (fetch) => async (request) => {
      const waitMs = Number(new URL(request.url).searchParams.get("wait")) * 1_000;
      const response = await fetch(request);
      const page = (await response.clone().text()).startsWith('{"events":[],"runStatus":"comp');
      if (page) await new Promise((resolve) => setTimeout(resolve, waitMs));
      return response;
    },
  },
  "answers a poll that waits with 304 (W18)": mapQueries((query, { headers }) => {
    if (headers.has("if-none-match")) query.delete("wait");
  }),
  "appends lines only when all have come (W12)": mapRequests(async (request) => {
    if (request.headers.get("content-type") !== "application/x-ndjson") return request;
    return new Request(request, { method: "POST", body: await request.clone().text() });
  }),
  "takes a cursor that is given twice (W15)": mapQueries((query) => {
    const since = query.get("since");
    if (since !== null) query.set("since", since);
  }),
};
