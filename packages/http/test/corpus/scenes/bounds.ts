import { ask, askJson, completed, note, run, RUNS, type Scene } from "../scene.ts";

const EVENTS = run("live", "/events");
const poll = {
  open: "a poll",
  ...ask("GET", run("live", "/events?since=1&wait=30"), { name: "a poll" }),
  until: 1,
} as const;
const lines = { "content-type": "application/x-ndjson" };

export const BOUND_SCENES: readonly Scene[] = [
  {
    name: "one request a user",
    options: { maxRequestsPerUser: 1 },
    runs: { live: [note()] },
    steps: [
      poll,
      ask("GET", RUNS),
      askJson("POST", RUNS, {}),
      askJson("POST", EVENTS, { events: [note()] }),
      ask("GET", run("none")),
      ask("GET", run("a.b")),
      ask("GET", run("live", "/stream"), {}, "session"),
      ask("GET", RUNS, {}, "bob"),
      ask("GET", "/openapi.json"),
      ask("GET", "/v1/errors/too_many_requests"),
      { append: "live", events: [completed] },
      { end: "a poll" },
      ask("GET", RUNS),
    ],
  },
  {
    name: "small bodies",
    options: { maxBodyBytes: 100, maxPayloadBytes: 40, maxBatchEvents: 2 },
    runs: { live: [] },
    steps: [
      askJson("POST", EVENTS, { events: [note()] }),
      askJson("POST", EVENTS, { events: [note("x".repeat(39))] }),
      askJson("POST", EVENTS, { events: [note("x".repeat(100))] }),
      askJson("POST", EVENTS, { events: [note(), note()] }),
      askJson("POST", EVENTS, '{"events":[{"eventType":"A"},{"eventType":"A"},{"eventType":"A"}]}'),
      ask("POST", EVENTS, {
        headers: { "content-type": "application/json" },
        body: ["x".repeat(60), "x".repeat(60)],
        name: "pieces",
      }),
      ask("POST", EVENTS, {
        headers: lines,
        body: `${'{"eventType":"A"}\n'.repeat(5)}${"x".repeat(101)}\n`,
        name: "a long line",
      }),
      ask("POST", EVENTS, {
        headers: lines,
        body: [`{"eventType":"A","payload":"${"x".repeat(60)}"}`],
        name: "a large payload in a line",
      }),
      askJson("POST", RUNS, { metadata: "x".repeat(60) }),
      askJson("POST", RUNS, { metadata: "x".repeat(100) }),
    ],
  },
  {
    name: "few bytes a user",
    options: { maxBytesPerUser: 1 },
    runs: { live: [note("x".repeat(100_000)), note("y".repeat(200_000)), note("z")] },
    steps: [
      ask("GET", EVENTS),
      ask("GET", run("live", "/events?since=2")),
      ask("GET", RUNS),
      askJson("POST", EVENTS, { events: [note("x".repeat(100_000))] }),
    ],
  },
];
