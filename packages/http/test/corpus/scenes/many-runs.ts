import { ask, askJson, completed, note, run, type Scene } from "../scene.ts";

const RUNS = [
  "ended:0",
  "ended:2",
  "ended:4",
  "ended:9",
  "ended:-1",
  "ended:-1000",
  "bobs:0",
  "none:0",
  "",
  "ended",
  "ended:",
  "ended:x",
  "ended:01",
  "ended:-0",
  "ended:-1001",
  "ended:0@2026-06-20T12:00:00.000Z",
  "a b:0",
  "ended:0,ended:1",
  "ended:0,",
];

const FEEDS = [
  "feed=live",
  "feed=live&topic=tea&last=true&have=",
  "feed=none",
  "feed=live&last=1",
  "feed=live&topic=",
  "feed=live&have=12",
  "topic=tea",
];

export const MANY_RUNS_SCENES: readonly Scene[] = [
  {
    name: "many runs on one stream",
    runs: { ended: [note(1), note(2), note(3), completed], bobs: [] },
    steps: [
      ...RUNS.flatMap((runs) => [
        ask("GET", run(`stream?runs=${runs}`), {}, "session"),
        ask("HEAD", run(`stream?runs=${runs}`), {}, "session"),
      ]),
      ask("GET", run("stream"), {}, "session"),
      ask("GET", run("stream?runs=ended:0&runs=ended:0"), {}, "session"),
      // What is asked for is refused, or its head alone: a feed has no end.
      ...FEEDS.flatMap((query) => [
        ask("HEAD", run(`stream?${query}`), {}, "session"),
        ask("GET", run(`stream?${query}&runs=ended:x`), {}, "session"),
      ]),
      ask("GET", run("stream?runs=ended:0")),
      ask("DELETE", run("stream")),
      askJson("POST", "/v1/agent-runs", { runId: "stream" }),
    ],
  },
];
