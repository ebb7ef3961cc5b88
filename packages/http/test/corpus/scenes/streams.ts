import { ask, askJson, completed, note, phase, run, type Scene, type Step } from "../scene.ts";

const STREAM = run("live", "/stream");
const STATUS = '"type":"status"';
const follow = (
  name: string,
  until: string,
  path = STREAM,
  headers: Record<string, string> = {},
): Step => ({ open: name, ...ask("GET", path, { headers, name }, "session"), until });

const CURSORS = ["0", "1", "3", "4", "5", "00", "x", "", "-1", "99999999999999999999999"];

export const STREAM_SCENES: readonly Scene[] = [
  {
    name: "streams of a finished run",
    runs: { ended: [phase("plan"), note({ s: "é\u2028\u2029\u0085\n" }), completed], bobs: [] },
    steps: [
      ...CURSORS.flatMap((cursor) => [
        ask("GET", run("ended", `/stream?since=${cursor}`), {}, "session"),
        ask("HEAD", run("ended", `/stream?since=${cursor}`), {}, "session"),
        ask(
          "GET",
          run("ended", "/stream?since=1"),
          { headers: { "last-event-id": cursor }, name: `since=1, Last-Event-ID: ${cursor}` },
          "session",
        ),
        ask(
          "HEAD",
          run("ended", "/stream"),
          { headers: { "last-event-id": cursor }, name: `HEAD, Last-Event-ID: ${cursor}` },
          "session",
        ),
      ]),
      ask("GET", run("ended", "/stream?since=1&since=2"), {}, "session"),
      ask("GET", run("ended", "/stream"), {}, "ada"),
      ask("GET", run("ended", "/stream"), {}, "both"),
      ask("GET", run("ended", "/stream"), {}, "anonymous"),
      ask("GET", run("ended", "/stream"), {}, "bob's session"),
      ask("GET", run("bobs", "/stream"), {}, "session"),
      ask("GET", run("none", "/stream"), {}, "session"),
      ask("HEAD", run("none", "/stream"), {}, "session"),
      ask("GET", run("a%2Fb", "/stream"), {}, "session"),
    ],
  },
  {
    name: "a long stream",
    runs: { ended: [...Array.from({ length: 1_500 }, (_, at) => note(at)), completed] },
    steps: [ask("GET", run("ended", "/stream"), {}, "session")],
  },
  {
    name: "live streams",
    runs: { live: [note(1), phase("plan")] },
    steps: [
      ask("GET", run("live", "/stream?since=3"), {}, "session"),
      ask("GET", STREAM, { headers: { "last-event-id": "9" }, name: "ahead" }, "session"),
      follow("a reader from 0", '"sequence":2'),
      follow("a reader from 1", '"sequence":2', run("live", "/stream?since=1")),
      follow("a reader from the end", '"connected"', STREAM, { "last-event-id": "2" }),
      askJson("POST", run("live", "/events"), { events: [note(3), phase("next")] }),
      { await: "a reader from 0", until: STATUS, times: 1 },
      { await: "a reader from 1", until: STATUS, times: 1 },
      { await: "a reader from the end", until: STATUS, times: 1 },
      { advanceMs: 15_000 },
      { await: "a reader from 0", until: STATUS, times: 2 },
      { await: "a reader from 1", until: STATUS, times: 2 },
      { await: "a reader from the end", until: STATUS, times: 2 },
      { leave: "a reader from 1" },
      askJson("POST", run("live", "/events"), { events: [completed] }),
      { end: "a reader from 0" },
      { end: "a reader from the end" },
      ask("GET", STREAM, { headers: { "last-event-id": "6" }, name: "one who knows" }, "session"),
    ],
  },
  {
    name: "streams that age",
    options: { maxAgeMs: 40_000 },
    runs: { live: [note(1)] },
    steps: [
      follow("an old reader", '"sequence":1'),
      { advanceMs: 14_000 },
      { advanceMs: 14_000 },
      { advanceMs: 14_000 },
      { end: "an old reader" },
    ],
  },
  {
    name: "a session that ends",
    runs: { live: [note(1)] },
    steps: [
      follow("a reader who signs out", '"sequence":1'),
      { signOut: "ada" },
      { advanceMs: 16_000 },
      { end: "a reader who signs out" },
      ask("GET", STREAM, {}, "session"),
      ask("GET", STREAM, {}, "both"),
    ],
  },
  {
    name: "a shutdown",
    runs: { live: [note(1)] },
    steps: [
      follow("a reader", '"sequence":1'),
      {
        open: "a poll",
        ...ask("GET", run("live", "/events?since=1&wait=30"), { name: "a poll" }),
        until: 1,
      },
      { drainMs: 1_000 },
      { end: "a poll" },
      { advanceMs: 2_000 },
      { end: "a reader" },
      ask("GET", STREAM, {}, "session"),
      ask("GET", run("live", "/events?since=1&wait=30")),
      askJson("POST", run("live", "/events"), { events: [note()] }),
    ],
  },
  {
    name: "streams beyond a user's bound",
    options: { maxStreamsPerUser: 1 },
    runs: { live: [note(1)] },
    steps: [
      follow("the only reader", '"sequence":1'),
      ask("GET", STREAM, {}, "session"),
      ask("HEAD", STREAM, {}, "session"),
      {
        open: "the only poll",
        ...ask("GET", run("live", "/events?since=1&wait=30"), { name: "the only poll" }),
        until: 1,
      },
      ask("GET", run("live", "/events?since=1&wait=30")),
      ask("GET", run("live", "/events?since=0&wait=30")),
      askJson("POST", run("live", "/events"), { events: [completed] }),
      { end: "the only poll" },
      { end: "the only reader" },
    ],
  },
];
