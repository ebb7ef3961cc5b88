import { ask, askJson, completed, note, run, RUNS, type Scene, type Step } from "../scene.ts";

const ALL: readonly Step[] = [
  ask("GET", RUNS),
  askJson("POST", RUNS, {}),
  ask("GET", run("live")),
  ask("HEAD", run("live")),
  ask("DELETE", run("live")),
  ask("GET", run("live", "/events")),
  ask("GET", run("live", "/events?since=1&wait=1")),
  ask("POST", run("live", "/events"), {
    headers: { "content-type": "application/x-ndjson" },
    body: '{"eventType":"A"}',
    name: "a line",
  }),
  ask("GET", run("live", "/stream"), {}, "session"),
  ask("HEAD", run("live", "/stream"), {}, "session"),
  ask("GET", run("live", "/stream?since=x"), {}, "session"),
  ask(
    "GET",
    run("live", "/stream"),
    { headers: { "last-event-id": "1" }, name: "a reader who comes back" },
    "session",
  ),
  ask("GET", "/openapi.json"),
  ask("GET", "/v1/errors/store_unavailable"),
  ask("GET", "/none"),
];

export const FAILURE_SCENES: readonly Scene[] = [
  {
    name: "a store that is away",
    runs: { live: [note()] },
    steps: [{ store: "down" }, ...ALL, { store: "up" }, ask("GET", run("live"))],
  },
  {
    name: "a store that breaks",
    runs: { live: [note()] },
    steps: [{ store: "broken" }, ...ALL, { store: "up" }, ask("GET", run("live"))],
  },
  {
    name: "sessions that are away",
    options: { allowedOrigins: ["https://app.example"] },
    runs: { live: [note()] },
    steps: [{ sessions: "down" }, ...ALL],
  },
  {
    name: "sessions that answer what they may not",
    runs: { live: [note()] },
    steps: [{ sessions: "malformed" }, ...ALL],
  },
  {
    name: "a stream whose sessions go away",
    runs: { live: [note()] },
    steps: [
      {
        open: "a reader",
        ...ask("GET", run("live", "/stream"), { name: "a reader" }, "session"),
        until: '"sequence":1',
      },
      { sessions: "down" },
      { advanceMs: 16_000 },
      { end: "a reader" },
    ],
  },
  {
    name: "a run that is deleted under its readers",
    runs: { ended: [completed] },
    steps: [
      ask("DELETE", run("ended")),
      ask("GET", run("ended", "/events")),
      ask("GET", run("ended", "/stream"), {}, "session"),
    ],
  },
];
