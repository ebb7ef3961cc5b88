import { ask, completed, note, phase, run, RUNS, type Scene, type Step } from "../scene.ts";

const LIMITS = [
  "1",
  "2",
  "500",
  "1000",
  "1001",
  "0",
  "-1",
  "1.5",
  "01",
  "x",
  "",
  "1e2",
  "9999999999",
];
const SINCES = [
  "0",
  "1",
  "4",
  "5",
  "6",
  "00",
  "-1",
  "1.0",
  "x",
  "",
  "9007199254740991",
  "9007199254740992",
  "99999999999999999999999",
];
const WAITS = ["0", "0.001", "30", "30.001", "31", "-1", "x", "", "0.0001", "1e1"];

const large = { text: "x".repeat(200_000) };

export const READING_SCENES: readonly Scene[] = [
  {
    name: "lists",
    options: { retentionMs: 86_400_000 },
    runs: {
      one: [note()],
      two: [note(), completed],
      three: [],
      four: [{ eventType: "RUN_FAILED", payload: { reason: "é" } }],
      bobs: [note()],
    },
    steps: [
      ...["queued", "running", "completed", "failed", "cancelled", "none", "", "Queued"].map((s) =>
        ask("GET", `${RUNS}?status=${s}`),
      ),
      ...["1", "2", "200", "201", "0", "x", ""].map((limit) =>
        ask("GET", `${RUNS}?limit=${limit}`),
      ),
      ...["1", "3", "0", "99", "x", "-1", "", "1.5"].map((cursor) =>
        ask("GET", `${RUNS}?cursor=${cursor}`),
      ),
      ask("GET", `${RUNS}?limit=1&limit=2`),
      ask("GET", `${RUNS}?cursor=1&cursor=2`),
      ask("GET", `${RUNS}?status=queued&status=running`),
      ask("GET", `${RUNS}?unknown=1`),
      ask("GET", RUNS, {}, "bob"),
      ask("HEAD", RUNS, {}, "session"),
      ask("GET", run("one")),
      ask("GET", run("two"), {}, "session"),
      ask("GET", run("three")),
      ask("GET", run("four")),
      ask("HEAD", run("one")),
      ask("GET", run("one"), {}, "bob"),
      ask("GET", run("none")),
      ask("GET", run("none"), {}, "bob"),
    ],
  },
  {
    name: "pages",
    runs: {
      live: [note({ n: 1 }), phase("plan"), note("text"), note(null), note([1, "\u2028\u0085é😀"])],
      ended: [phase("plan"), note(), completed],
      empty: [],
      bobs: [note()],
    },
    steps: [
      ...LIMITS.map((limit) => ask("GET", run("live", `/events?limit=${limit}`))),
      ...SINCES.map((since) => ask("GET", run("live", `/events?since=${since}`))),
      ...WAITS.map((wait) => ask("GET", run("live", `/events?since=2&wait=${wait}`))),
      ...["0", "1", "2", "3", "4", "5"].map((since) =>
        ask("GET", run("ended", `/events?since=${since}&wait=30`)),
      ),
      ask("GET", run("empty", "/events")),
      ask("GET", run("empty", "/events?since=1")),
      ask("GET", run("live", "/events?since=5&wait=0.001")),
      ask("GET", run("live", "/events?since=1&since=2")),
      ask("GET", run("live", "/events?limit=1&limit=2")),
      ask("GET", run("live", "/events?wait=1&wait=2")),
      ask("GET", run("live", "/events?since=1&limit=2&other=x"), {}, "session"),
      ask("HEAD", run("live", "/events")),
      ask("GET", run("live", "/events"), {}, "bob"),
      ask("GET", run("bobs", "/events")),
      ask("GET", run("none", "/events?since=x")),
      ...(
        [
          ["the tag", '"1-1781956800000-0-5-5"'],
          ["a weak tag", 'W/"1-1781956800000-0-5-5"'],
          ["a list", '"x", "1-1781956800000-0-5-5"'],
          ["any", "*"],
          ["another", '"1-1781956800000-0-4-5"'],
          ["no tag", "1-1781956800000-0-5-5"],
        ] as const
      ).flatMap(([name, tag]): readonly Step[] => [
        ask("GET", run("live", "/events"), {
          headers: { "if-none-match": tag },
          name: `If-None-Match: ${name}`,
        }),
        ask("GET", run("live", "/events?wait=0.001"), {
          headers: { "if-none-match": tag },
          name: `If-None-Match with wait: ${name}`,
        }),
      ]),
    ],
  },
  {
    name: "long pages",
    runs: {
      long: Array.from({ length: 30 }, () => note(large)),
      many: Array.from({ length: 1_000 }, (_, at) => note(at)),
    },
    steps: [
      ask("GET", run("long", "/events")),
      ask("GET", run("long", "/events?since=20")),
      ask("GET", run("long", "/events?since=29")),
      ask("GET", run("long", "/events?limit=2")),
      ask("HEAD", run("long", "/events")),
      ask("GET", run("many", "/events")),
      ask("GET", run("many", "/events?limit=1000")),
    ],
  },
  {
    name: "long-polls",
    runs: { live: [note()] },
    steps: [
      {
        open: "poll",
        ...ask("GET", run("live", "/events?since=1&wait=30"), { name: "notified by an event" }),
        until: 1,
      },
      { append: "live", events: [phase("two")] },
      { end: "poll" },
      {
        open: "last",
        ...ask("GET", run("live", "/events?since=2&wait=30"), { name: "notified by the end" }),
        until: 1,
      },
      { append: "live", events: [completed] },
      { end: "last" },
      ask("GET", run("live", "/events?since=3&wait=30")),
    ],
  },
];
