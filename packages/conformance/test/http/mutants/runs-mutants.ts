import {
  answerJson,
  encodeFrame,
  isTerminalEvent,
  mapAnswers,
  mapFrames,
  mapRequests,
  type PlainFrame,
  sequenceIn,
  type ServerMutant,
} from "./server-mutant.ts";

const PATH = "/v1/agent-runs/stream";
const END = `data: {"type":"stream_finished"}\nretry: 3600000\n\n`;

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
    name: "ends the stream at a run that cannot be read",
    clause: "W47",
    ...mapRunsFrames(() => {
      let isOver = false;
      return ({ text, message }) => {
        if (isOver) return [];
        isOver = message["type"] === "error";
        return isOver ? [text, END] : [text];
      };
    }),
  },
  {
    name: "ends the stream at the end of the first run",
    clause: "W47",
    ...mapRunsFrames(() => {
      let isOver = false;
      return ({ text, message }) => {
        if (isOver) return [];
        isOver = message["type"] === "run_finished";
        return isOver ? [text, END] : [text];
      };
    }),
  },
  {
    name: "leaves the run out of its events",
    clause: "W47",
    ...eachFrame(({ text, message }) => [
      message["type"] === "run_event" ? text.replace(/"runId":"[^"]*",/, "") : text,
    ]),
  },
  {
    name: "names the first run in every frame",
    clause: "W47",
    ...mapRunsFrames(() => {
      let first = "";
      return ({ text, message }) => {
        if (first === "" && message["type"] === "connected") first = String(message["runId"]);
        return [text.replace(/"runId":"[^"]*"/, `"runId":"${first}"`)];
      };
    }),
  },
  {
    name: "begins the second run at 0",
    clause: "W47",
    ...mapEntries((entries) =>
      entries.map((entry, at) => (at === 1 ? entry.replace(/:\d+$/, ":0") : entry)),
    ),
  },
  {
    name: "begins every run at the cursor of the first",
    clause: "W47",
    ...mapEntries(([first = "", ...others]) => [
      first,
      ...others.map((entry) => entry.replace(/:\d+$/, first.replace(/^[^:]*/, ""))),
    ]),
  },
  {
    name: "takes a tail for a cursor",
    clause: "W47",
    ...mapEntries((entries) => entries.map((entry) => entry.replace(/:-(?=[1-9]\d{0,2}$)/, ":"))),
  },
  {
    name: "gives frames an id",
    clause: "W47",
    ...eachFrame((frame) => [
      sequenceIn(frame) > 0
        ? frame.text.replace(/\n$/, `id: ${sequenceIn(frame)}\n\n`)
        : frame.text,
    ]),
  },
  {
    name: "keeps the reader away for an hour at the end of one run",
    clause: "W47",
    ...eachFrame(({ text, message }) => [
      message["type"] === "run_finished" ? text.replace(/\n$/, "retry: 3600000\n\n") : text,
    ]),
  },
  {
    name: "sends nothing until the first run is connected",
    clause: "W47",
    ...eachFrame(({ text, message }) => (message["type"] === "stream_opened" ? [] : [text])),
  },
  {
    name: "ends without a last frame",
    clause: "W47",
    ...eachFrame(({ text, message }) => (message["type"] === "stream_finished" ? [] : [text])),
  },
  {
    name: "says nothing of a run that cannot be read",
    clause: "W47",
    ...eachFrame(({ text, message }) => (message["type"] === "error" ? [] : [text])),
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
    name: "takes a cursor past the end for the end of a run",
    clause: "W47",
    ...eachFrame(({ text, message }) => [
      message["code"] === "cursor_ahead"
        ? text.replace(/"code":"cursor_ahead"/, '"code":"not_found"')
        : text,
    ]),
  },
  {
    name: "sends the last event of a run again",
    clause: "W47",
    ...eachFrame((frame) => (isTerminalEvent(frame) ? [frame.text, frame.text] : [frame.text])),
  },
  {
    name: "loses the event after the one that the run was connected at",
    clause: "W47",
    ...mapRunsFrames(() => {
      const heads = new Map<unknown, number>();
      return (frame) => {
        const { type, runId, lastSequence } = frame.message;
        if (type === "connected") heads.set(runId, Number(lastSequence));
        return sequenceIn(frame) === (heads.get(runId) ?? 0) + 1 ? [] : [frame.text];
      };
    }),
  },
  {
    name: "reads 50 runs at most",
    clause: "W47",
    ...mapEntries((entries) => (entries.length > 100 ? entries : entries.slice(0, 50))),
  },
  {
    name: "takes the first 100 of more runs",
    clause: "W47",
    ...mapEntries((entries) => entries.slice(0, 100)),
  },
  {
    name: "takes a run that comes twice once",
    clause: "W47",
    ...mapEntries((entries) => [
      ...new Map(entries.map((entry) => [entry.split(":", 1)[0], entry])).values(),
    ]),
  },
  {
    name: "leaves out entries that it cannot read",
    clause: "W47",
    ...mapEntries((entries) => {
      const good = entries.filter((entry) => /^[\w-]+:(-?[1-9]\d{0,2}|0)$/.test(entry));
      return good.length > 0 ? good : entries;
    }),
  },
  {
    name: "counts each run as a stream of its user",
    clause: "W47",
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
    name: "does not count a stream of many runs",
    clause: "W47",
    wrap: (fetch) => async (request) => {
      const response = await fetch(request);
      if (!isOfMany(request.url) || response.body === null) return response;
      const [first, second] = response.body.tee();
      const reader = first.getReader();
      const { value } = await reader.read();
      void reader.cancel();
      if (!new TextDecoder().decode(value).includes("overloaded"))
        return new Response(second, { status: response.status, headers: response.headers });
      void second.cancel();
      const text = 'retry: 2000\ndata: {"type":"stream_opened"}\n\n';
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
    clause: "W47",
    ...mapAnswers(({ request, status, text }) =>
      request.method === "POST" && status === 400 && text.includes("`stream`")
        ? answerJson(201, { runId: "stream" })
        : null,
    ),
  },
];
