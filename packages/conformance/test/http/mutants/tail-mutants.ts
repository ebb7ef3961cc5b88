import { leafOf, mapRequests, runOf, type ServerMutant, withHeaders } from "./server-mutant.ts";

/** Servers that take `tail` for something else, or say that a reader begins elsewhere. */
export const tailMutants: readonly ServerMutant[] = [
  {
    name: "begins at most 500 events before the end",
    clause: "W45",
    ...mapTails((query) => {
      if (query.get("tail") === "1000") query.set("tail", "500");
    }),
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
    ...mapTails((query) => {
      if (query.get("tail") === "0") query.delete("tail");
    }),
  },
];

function isCursor(id: string | null): id is string {
  return /^(0|[1-9]\d*)$/.test(id ?? "");
}

/** Every query with one `tail` passes through `change`. */
function mapTails(change: (query: URLSearchParams) => void): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    if (url.searchParams.getAll("tail").length !== 1) return request;
    change(url.searchParams);
    return new Request(url, request);
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
