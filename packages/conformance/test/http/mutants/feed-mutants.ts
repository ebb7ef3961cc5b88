import { TOKENS } from "../users.ts";
import {
  encodeFrame,
  mapFrames,
  mapRequests,
  type PlainFrame,
  type ServerMutant,
  withHeaders,
} from "./server-mutant.ts";

const PATH = "/v1/agent-runs/stream";
const FEED_ONLY = ["topic", "last", "have"];

/** Servers whose feed is wrong. */
export const feedMutants: readonly ServerMutant[] = [
  {
    name: "does not say that a feed has started",
    clause: "W48",
    ...eachFrame(({ text, message }) => (message["type"] === "feed_started" ? [] : [text])),
  },
  {
    name: "says of every list that it is the same",
    clause: "W48",
    ...eachFrame(({ text }) => [text.replace('"same":false', '"same":true')]),
  },
  {
    name: "sends the whole list to a reader that has it",
    clause: "W48",
    ...mapQueries((query) => query.delete("have")),
  },
  {
    name: "begins a feed without the runs of the list",
    clause: "W48",
    ...beforeVersion(({ text, message }) => (message["type"] === "run" ? [] : [text])),
  },
  {
    name: "gives the reader of a feed no version",
    clause: "W48",
    ...eachFrame(({ text, message }) => (message["type"] === "feed_version" ? [] : [text])),
  },
  {
    name: "sends nothing of a feed after its first version",
    clause: "W48",
    ...afterVersion(({ text, message }) => (message["type"] === "run" ? [] : [text])),
  },
  {
    name: "leaves the ends of runs out of a feed",
    clause: "W48",
    ...afterVersion(({ text }) => (text.includes('"finishedAt":"') ? [] : [text])),
  },
  {
    name: "leaves removed runs out of a feed",
    clause: "W48",
    ...eachFrame(({ text, message }) => (message["type"] === "run_gone" ? [] : [text])),
  },
  {
    name: "has the runs of every topic in a feed",
    clause: "W48",
    ...mapQueries((query) => query.delete("topic")),
  },
  {
    name: "shows another user's runs in a feed",
    clause: "W48",
    ...mapRequests((request, url) => {
      if (!isFeed(url)) return request;
      const mine = /session=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
      const other = TOKENS.find((token) => token !== mine);
      return withHeaders(request, { cookie: `session=${other}` });
    }),
  },
  {
    name: "gives the runs of a feed no last events",
    clause: "W48",
    ...mapQueries((query) => query.delete("last")),
  },
  {
    name: "gives the runs of a feed their last events unasked",
    clause: "W48",
    ...mapQueries((query) => query.set("last", "true")),
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
    name: "gives frames of a feed an id",
    clause: "W48",
    ...eachFrame(({ text, message }) => [
      message["type"] === "run" ? text.replace(/\n$/, "id: 1\n\n") : text,
    ]),
  },
  {
    name: "sends a run of a feed without its topic",
    clause: "W48",
    ...eachFrame(({ text, message }) => {
      if (message["type"] !== "run") return [text];
      const { topic: _, ...run } = message["run"] as Readonly<Record<string, unknown>>;
      return [encodeFrame({ ...message, run })];
    }),
  },
  {
    name: "takes any value of `feed`",
    clause: "W48",
    ...mapQueries((query) => {
      query.set("feed", "live");
    }),
  },
  {
    name: "takes any value of `last`",
    clause: "W48",
    ...mapQueries((query) => {
      if (!["true", "false"].includes(query.get("last") ?? "true")) query.delete("last");
    }),
  },
  {
    name: "takes what belongs to a feed without one",
    clause: "W48",
    ...mapRequests((request, url) => {
      if (url.pathname !== PATH || isFeed(url)) return request;
      for (const name of FEED_ONLY) url.searchParams.delete(name);
      return new Request(url, request);
    }),
  },
];

function isFeed(url: URL): boolean {
  return url.pathname === PATH && url.searchParams.has("feed");
}

/** The query of every feed passes through `change`. */
function mapQueries(change: (query: URLSearchParams) => void): Pick<ServerMutant, "wrap"> {
  return mapRequests((request, url) => {
    if (!isFeed(url)) return request;
    change(url.searchParams);
    return new Request(url, request);
  });
}

/** Each frame of a stream with a feed passes through `change`. */
function eachFrame(change: (frame: PlainFrame) => readonly string[]): Pick<ServerMutant, "wrap"> {
  return mapFrames(
    () => (frame) => (isFeed(new URL(frame.request.url)) ? change(frame) : [frame.text]),
  );
}

/** The same for the frames up to the first version. */
function beforeVersion(
  change: (frame: PlainFrame) => readonly string[],
): Pick<ServerMutant, "wrap"> {
  return mapByVersion((frame, isBefore) => (isBefore ? change(frame) : [frame.text]));
}

/** The same for the frames after the first version. */
function afterVersion(
  change: (frame: PlainFrame) => readonly string[],
): Pick<ServerMutant, "wrap"> {
  return mapByVersion((frame, isBefore) => (isBefore ? [frame.text] : change(frame)));
}

function mapByVersion(
  change: (frame: PlainFrame, isBefore: boolean) => readonly string[],
): Pick<ServerMutant, "wrap"> {
  return mapFrames(() => {
    let isBefore = true;
    return (frame) => {
      const changed = change(frame, isBefore);
      if (frame.message["type"] === "feed_version") isBefore = false;
      return changed;
    };
  });
}
