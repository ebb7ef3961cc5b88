import {
  mapAnswers,
  mapFrames,
  mapRequests,
  type PlainFrame,
  type ServerMutant,
  withBody,
} from "./server-mutant.ts";

type Run = Readonly<Record<string, unknown>>;

const LISTS = "/v1/agent-runs";
const FEEDS = "/v1/agent-runs/stream";

/** Servers whose lists are wrong, polled or followed. */
export const feedMutants: readonly ServerMutant[] = [
  {
    name: "sends the whole list to a reader that has it",
    clause: "W48",
    ...mapQueries(FEEDS, (query) => query.delete("have")),
  },
  {
    name: "sends a list again that has not changed",
    clause: "W48",
    ...mapQueries(LISTS, (query) => query.delete("have")),
  },
  {
    name: "leaves out the runs of a list that have ended",
    clause: "W48",
    ...mapAnswers((answer) => {
      const { version, runs } = answer.json;
      if (version === undefined || runs === undefined) return null;
      const live = (runs as readonly Run[]).filter(({ finishedAt }) => finishedAt === null);
      return withBody(answer, { ...answer.json, runs: live });
    }),
  },
  {
    name: "leaves removed runs out of a feed",
    clause: "W48",
    ...eachFrame(({ text, message }) => (message["type"] === "run_gone" ? [] : [text])),
  },
  {
    name: "gives the runs of a feed the event before the last one",
    clause: "W48",
    ...eachFrame(({ text }) => [
      text.replace(
        /"last":\{"sequence":(\d+)/,
        (_, last) => `"last":{"sequence":${Number(last) - 1}`,
      ),
    ]),
  },
  {
    name: "ends the stream with its last run, though it has a feed",
    clause: "W48",
    ...mapFrames(() => {
      let isOver = false;
      return ({ text, message }) => {
        if (isOver) return [];
        isOver = message["type"] === "run_finished";
        return isOver ? [text, `data: {"type":"stream_finished"}\nretry: 3600000\n\n`] : [text];
      };
    }),
  },
  {
    name: "sends states of a feed more often than four times a second",
    clause: "W48",
    ...mapFrames(() => {
      let before = "";
      return ({ text, message }) => {
        if (message["type"] !== "run") return [text];
        const repeated = Array<string>(before === "" ? 0 : 20).fill(before);
        before = text;
        return [...repeated, text];
      };
    }),
  },
  {
    name: "takes any value of `last`",
    clause: "W48",
    ...mapQueries(FEEDS, (query) => {
      if (!["true", "false"].includes(query.get("last") ?? "true")) query.delete("last");
    }),
  },
];

function isFeed(url: URL, path: string): boolean {
  return url.pathname === path && url.searchParams.has("feed");
}

/** The query of every list at this path passes through `change`. */
function mapQueries(
  path: string,
  change: (query: URLSearchParams) => void,
): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    if (!isFeed(url, path)) return request;
    change(url.searchParams);
    return new Request(url, request);
  });
}

/** Each frame of a stream with a feed passes through `change`. */
function eachFrame(change: (frame: PlainFrame) => readonly string[]): Pick<ServerMutant, "wrap"> {
  return mapFrames(
    () => (frame) => (isFeed(new URL(frame.request.url), FEEDS) ? change(frame) : [frame.text]),
  );
}
