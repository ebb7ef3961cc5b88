import { ask, completed, note, run, type Scene } from "../scene.ts";

const OLD = "2020-01-01T00:00:00.000Z";

/** Times that are not those of the events; those that are differ in each recording. */
const TIMES = [OLD, "2020-01-01", "2020-01-01T00:00:00Z", "2020-02-30T00:00:00.000Z", "x", ""];

const QUERIES: readonly string[] = [
  ...TIMES.map((at) => `since=2&at=${at}`),
  `since=9&at=${OLD}`,
  `since=5&at=${OLD}`,
  `since=0&at=${OLD}`,
  `at=${OLD}`,
  `tail=2&at=${OLD}`,
  `since=2&at=${OLD}&at=${OLD}`,
];

export const HISTORY_SCENES: readonly Scene[] = [
  {
    name: "another history",
    runs: {
      ended: [note(1), note(2), note(3), completed],
      live: [note(1), note(2)],
      bobs: [note()],
    },
    steps: [
      ...QUERIES.flatMap((query) => [
        ask("GET", run("ended", `/events?${query}`)),
        ask("GET", run("ended", `/stream?${query}`), {}, "session"),
        ask("HEAD", run("ended", `/stream?${query}`), {}, "session"),
      ]),
      ask("GET", run("live", `/events?since=2&at=${OLD}&wait=30`)),
      ask("GET", run("live", `/stream?since=2&at=${OLD}`), {}, "session"),
      ask("GET", run("bobs", `/events?since=1&at=${OLD}`)),
      ask("GET", run("bobs", `/stream?since=1&at=${OLD}`), {}, "session"),
      ...["3", "5", "x"].map((id) =>
        ask(
          "GET",
          run("ended", `/stream?since=2&at=${OLD}`),
          { headers: { "last-event-id": id }, name: `at, and ${id}` },
          "session",
        ),
      ),
    ],
  },
];
