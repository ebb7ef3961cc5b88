import {
  answerJson,
  encodeFrame,
  mapAnswers,
  mapFrames,
  mapRequests,
  type PlainFrame,
  type ServerMutant,
} from "./server-mutant.ts";

const PATH = "/v1/agent-runs/stream";

function isOfMany(url: string): boolean {
  return new URL(url).pathname === PATH;
}

/** Frames of streams of many runs pass through what `open` makes for each stream. */
function mapRunsFrames(
  open: () => (frame: PlainFrame) => readonly string[],
): Pick<ServerMutant, "wrap"> {
  return mapFrames(() => {
    const change = open();
    return (frame) => (isOfMany(frame.request.url) ? change(frame) : [frame.text]);
  });
}

/** The same for each frame by itself. */
function eachFrame(change: (frame: PlainFrame) => readonly string[]): Pick<ServerMutant, "wrap"> {
  return mapRunsFrames(() => change);
}

/** The entries of `runs` pass through `change`. */
function mapEntries(
  change: (entries: readonly string[]) => readonly string[],
): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    const runs = url.searchParams.get("runs");
    if (runs === null || !isOfMany(request.url)) return request;
    url.searchParams.set("runs", change(runs.split(",")).join());
    return new Request(url, request);
  });
}

/** Servers whose stream of many runs is wrong. */
export const runsMutants: readonly ServerMutant[] = [
  {
    name: "takes a tail for a cursor",
    clause: "W47",
    ...mapEntries((entries) => entries.map((entry) => entry.replace(/:-(?=[1-9]\d{0,2}$)/, ":"))),
  },
  {
    name: "ends without a last frame",
    clause: "W47",
    ...eachFrame(({ text, message }) => (message["type"] === "stream_finished" ? [] : [text])),
  },
  {
    name: "shows among many runs that another user's run exists",
    clause: "W47",
    ...eachFrame(({ text, message }) => [
      message["code"] === "not_found" && !String(message["runId"]).startsWith("no")
        ? text.replace(/"message":"[^"]*"/, '"message":"The run is not yours."')
        : text,
    ]),
  },
  {
    name: "counts each run as a stream of its user",
    clause: "W28",
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
  {
    name: "has no heartbeat on a stream of many runs",
    clause: "W47",
    ...eachFrame(({ text, message }) => (message["type"] === "heartbeat" ? [] : [text])),
  },
  {
    name: "creates a run whose path is that of the stream",
    clause: "W8",
    ...mapAnswers(({ request, status, text }) =>
      request.method === "POST" && status === 400 && text.includes("`stream`")
        ? answerJson(201, { runId: "stream" })
        : null,
    ),
  },
];
