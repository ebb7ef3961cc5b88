import {
  answerProblem,
  leafOf,
  mapRequests,
  type ServerMutant,
  withHeaders,
} from "./server-mutant.ts";

/** Servers that take a request for another one. */
export const requestMutants: readonly ServerMutant[] = [
  {
    name: "takes a bearer token on the live stream",
    clause: "W19",
    ...mapRequests((request) => {
      const token = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
      if (leafOf(request.url) !== "/stream" || token === undefined) return request;
      return withHeaders(request, { cookie: `session=${token}` });
    }),
  },
  {
    name: "lets since win over Last-Event-ID",
    clause: "W20",
    ...mapRequests((request, url) =>
      url.searchParams.has("since") ? withHeaders(request, { "last-event-id": null }) : request,
    ),
  },
  {
    name: "refuses a Last-Event-ID that is malformed",
    clause: "W20",
    wrap: (fetch) => async (request) => {
      const id = request.headers.get("last-event-id");
      const isBad = id !== null && !/^(0|[1-9]\d*)$/.test(id);
      return isBad ? answerProblem(400, "invalid_cursor") : fetch(request);
    },
  },
  {
    name: "repeats the last event to a reader that comes back",
    clause: "W24",
    ...mapRequests((request) => {
      const id = Number(request.headers.get("last-event-id"));
      return id > 0 ? withHeaders(request, { "last-event-id": String(id - 1) }) : request;
    }),
  },
  {
    name: "passes a request with Sec-Fetch-Site none from any origin",
    clause: "W5",
    ...mapRequests((request) =>
      request.headers.get("sec-fetch-site") === "none"
        ? withHeaders(request, { origin: null })
        : request,
    ),
  },
  {
    name: "streams to pages of other origins",
    clause: "W19",
    ...mapRequests((request) =>
      leafOf(request.url) === "/stream"
        ? withHeaders(request, { origin: null, "sec-fetch-site": null })
        : request,
    ),
  },
  {
    name: "holds no poll that waits",
    clause: "W17",
    ...mapRequests((request, url) => {
      if (!/^\d/.test(url.searchParams.get("wait") ?? "")) return request;
      url.searchParams.set("wait", "0");
      return new Request(url, request);
    }),
  },
  {
    name: "holds a poll of a run that has ended",
    clause: "W17",
    wrap: (fetch) => async (request) => {
      const waitMs = Number(new URL(request.url).searchParams.get("wait")) * 1_000;
      const response = await fetch(request);
      const page = (await response.clone().text()).startsWith('{"events":[],"runStatus":"comp');
      if (page) await new Promise((resolve) => setTimeout(resolve, waitMs));
      return response;
    },
  },
  {
    name: "answers a poll that waits with 304",
    clause: "W18",
    ...mapRequests((request, url) => {
      if (!request.headers.has("if-none-match")) return request;
      url.searchParams.delete("wait");
      return new Request(url, request);
    }),
  },
  {
    name: "appends lines only when all have come",
    clause: "W12",
    ...mapRequests(async (request) => {
      if (request.headers.get("content-type") !== "application/x-ndjson") return request;
      return new Request(request, { method: "POST", body: await request.clone().text() });
    }),
  },
  {
    name: "takes a cursor that is given twice",
    clause: "W15",
    ...mapRequests((request, url) => {
      const since = url.searchParams.get("since");
      if (since === null) return request;
      url.searchParams.set("since", since);
      return new Request(url, request);
    }),
  },
];
