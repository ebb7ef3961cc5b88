import { ask, askJson, note, RUNS, type Scene } from "../scene.ts";

const create = (body: unknown): ReturnType<typeof askJson> => askJson("POST", RUNS, body);

export const TOPIC_SCENES: readonly Scene[] = [
  {
    name: "topics",
    runs: { none: [], bobs: [note()] },
    steps: [
      create({ runId: "one", topic: "tea" }),
      create({ runId: "two", topic: "tea", metadata: { n: 1 } }),
      create({ runId: "three", topic: 'a&b=c%2B+ "\u00e9"\u{1f375}\u2028' }),
      create({ runId: "longest", topic: "\u{1f375}".repeat(200) }),
      create({ runId: "one", topic: "coffee" }),
      create({ runId: "one", topic: null }),
      { append: "two", events: [note(), { eventType: "RUN_COMPLETED" }] },
      ...["", "x".repeat(201), "a\n", "a\0", "\u0085", "\ud83c", 7, ["tea"], {}].map((topic) =>
        create({ runId: "bad", topic }),
      ),
      ask("GET", `${RUNS}/bad`),
      ask("GET", `${RUNS}/two`),
      ...[
        "topic=tea",
        "topic=Tea",
        "topic=tea&status=live",
        "topic=tea&status=completed",
        "topic=tea&limit=1",
        "topic=tea&limit=1&cursor=4",
        "topic=a%26b%3Dc%252B%2B+%22%C3%A9%22%F0%9F%8D%B5%E2%80%A8",
        "topic=none",
        "status=live",
        "topic=",
        "topic",
        "topic=tea&topic=tea",
        "topic=a%00",
        "topic=a%0a",
        `topic=${"x".repeat(201)}`,
        "topic=%FF",
      ].map((query) => ask("GET", `${RUNS}?${query}`)),
      ask("GET", `${RUNS}?topic=tea`, {}, "bob"),
    ],
  },
  {
    name: "exclusive runs, and runs that are claimed as they are created",
    runs: { other: [] },
    steps: [
      create({ runId: "one", topic: "tea", exclusive: true }),
      create({ runId: "two", topic: "tea", exclusive: true }),
      create({ runId: "one", topic: "tea", exclusive: true }),
      create({ runId: "bad", exclusive: true }),
      create({ runId: "bad", topic: "tea", exclusive: 1 }),
      { append: "one", events: [{ eventType: "RUN_COMPLETED" }] },
      create({ runId: "two", topic: "tea", exclusive: true, leaseMs: 60_000, worker: "w-1" }),
      create({ runId: "two", leaseMs: 60_000 }),
      create({ runId: "one", leaseMs: 60_000 }),
      create({ runId: "bad", leaseMs: 999 }),
      create({ runId: "bad", worker: "w-1" }),
      create({ runId: "bad", leaseMs: 60_000, worker: "" }),
      ask("GET", `${RUNS}/two`),
      ask("GET", `${RUNS}/bad`),
    ],
  },
];
