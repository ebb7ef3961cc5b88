import type { ServerBreakage } from "../memory-server.ts";
import {
  leafOf,
  mapQueries,
  mapRequests,
  runOf,
  type ServerMutants,
  withHeaders,
} from "./server-mutant.ts";

/** Servers that take `tail` for something else, or say that a reader begins elsewhere. */
export const tailMutants: ServerMutants = {
  "begins at most 500 events before the end (W45)": mapTails((query) => {
    if (query.get("tail") === "1000") query.set("tail", "500");
  }),
  "takes a malformed Last-Event-ID for 0 (W45)": mapRequests((request, url) => {
    const id = request.headers.get("last-event-id");
    const isBad = id !== null && !isCursor(id) && url.searchParams.has("tail");
    return isBad ? withHeaders(request, { "last-event-id": "0" }) : request;
  }),
  "takes the later one of tail and Last-Event-ID (W45)": mapRequests(
    async (request, url, fetch) => {
      const id = request.headers.get("last-event-id");
      const count = Number(url.searchParams.get("tail"));
      if (leafOf(request.url) !== "/stream" || !isCursor(id) || !(count > 0)) return request;
      const { lastSequence } = await runOf(fetch, request);
      const isSmaller = Number(id) < Number(lastSequence) - count;
      return isSmaller ? withHeaders(request, { "last-event-id": null }) : request;
    },
  ),
  "takes tail=0 for all events (W45)": mapTails((query) => {
    if (query.get("tail") === "0") query.delete("tail");
  }),
};

function isCursor(id: string | null): id is string {
  return /^(0|[1-9]\d*)$/.test(id ?? "");
}

/** Every query with one `tail` passes through `change`. */
function mapTails(change: (query: URLSearchParams) => void): ServerBreakage {
  return mapQueries((query) => {
    if (query.getAll("tail").length === 1) change(query);
  });
}
