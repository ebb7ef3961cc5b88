import type { ServerBreakage } from "../memory-server.ts";
import {
  eachFrame,
  mapAnswers,
  mapFrames,
  mapQueries,
  type ServerMutants,
  withBody,
} from "./server-mutant.ts";

type Run = Readonly<Record<string, unknown>>;

const LISTS = "/v1/agent-runs";
const FEEDS = "/v1/agent-runs/stream";

/** Servers whose lists are wrong, polled or followed. */
export const feedMutants: ServerMutants = {
  "sends the whole list to a reader that has it (W48)": mapFeeds(FEEDS, (query) =>
    query.delete("have"),
  ),
  "sends a list again that has not changed (W48)": mapFeeds(LISTS, (query) => query.delete("have")),
  "leaves out the runs of a list that have ended (W48)": mapAnswers((answer) => {
    const { version, runs } = answer.json;
    if (version === undefined || runs === undefined) return null;
    const live = (runs as readonly Run[]).filter(({ finishedAt }) => finishedAt === null);
    return withBody(answer, { ...answer.json, runs: live });
  }),
  "leaves removed runs out of a feed (W48)": eachFrame(({ text, message }) =>
    message["type"] === "run_gone" ? [] : [text],
  ),
  "gives the runs of a feed the event before the last one (W48)": eachFrame(({ text }) => [
    text.replace(
      /"last":\{"sequence":(\d+)/,
      (_, last) => `"last":{"sequence":${Number(last) - 1}`,
    ),
  ]),
  "ends the stream with its last run, though it has a feed (W48)": mapFrames(() => {
    let isOver = false;
    return ({ text, message }) => {
      if (isOver) return [];
      isOver = message["type"] === "run_finished";
      return isOver ? [text, `data: {"type":"stream_finished"}\nretry: 3600000\n\n`] : [text];
    };
  }),
  "sends states of a feed more often than four times a second (W48)": mapFrames(() => {
    let before = "";
    return ({ text, message }) => {
      if (message["type"] !== "run") return [text];
      const repeated = Array<string>(before === "" ? 0 : 20).fill(before);
      before = text;
      return [...repeated, text];
    };
  }),
  "takes any value of `last` (W48)": mapFeeds(FEEDS, (query) => {
    if (!["true", "false"].includes(query.get("last") ?? "true")) query.delete("last");
  }),
};

/** The query of every list at this path passes through `change`. */
function mapFeeds(path: string, change: (query: URLSearchParams) => void): ServerBreakage {
  return mapQueries((query, { url }) => {
    if (new URL(url).pathname === path && query.has("feed")) change(query);
  });
}
