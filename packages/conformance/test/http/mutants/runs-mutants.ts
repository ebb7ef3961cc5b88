import type { ServerBreakage } from "../memory-server.ts";
import {
  answerJson,
  eachFrame,
  encodeFrame,
  mapAnswers,
  mapQueries,
  type ServerMutants,
} from "./server-mutant.ts";

const PATH = "/v1/agent-runs/stream";

function isOfMany(url: string): boolean {
  return new URL(url).pathname === PATH;
}

/** The entries of `runs` pass through `change`. */
function mapEntries(change: (entries: readonly string[]) => readonly string[]): ServerBreakage {
  return mapQueries((query) => {
    const runs = query.get("runs");
    if (runs !== null) query.set("runs", change(runs.split(",")).join());
  });
}

/** Servers whose stream of many runs is wrong. */
export const runsMutants: ServerMutants = {
  "takes a tail for a cursor (W47)": mapEntries((entries) =>
    entries.map((entry) => entry.replace(/:-(?=[1-9]\d{0,2}$)/, ":")),
  ),
  "ends without a last frame (W47)": eachFrame(({ text, message }) =>
    message["type"] === "stream_finished" ? [] : [text],
  ),
  "shows among many runs that another user's run exists (W47)": eachFrame(({ text, message }) => [
    message["code"] === "not_found" && !String(message["runId"]).startsWith("no")
      ? text.replace(/"message":"[^"]*"/, '"message":"The run is not yours."')
      : text,
  ]),
  "counts each run as a stream of its user (W28)": {
    wrap: (fetch) => async (request) => {
      const runs = new URL(request.url).searchParams.get("runs")?.split(",").length ?? 0;
      const response = await fetch(request);
      if (!isOfMany(request.url) || response.status !== 200 || runs <= 32 || runs > 40)
        return response;
      await response.body?.cancel();
      const failure = { type: "error", code: "overloaded", message: "Full.", retryable: true };
      const text = encodeFrame(failure).replace("data:", "retry: 1000\ndata:");
      return new Response(text, { status: 200, headers: response.headers });
    },
  },
  "has no heartbeat on a stream of many runs (W47)": eachFrame(({ text, message }) =>
    message["type"] === "heartbeat" ? [] : [text],
  ),
  "creates a run whose path is that of the stream (W8)": mapAnswers(({ request, status, text }) =>
    request.method === "POST" && status === 400 && text.includes("`stream`")
      ? answerJson(201, { runId: "stream" })
      : null,
  ),
};
