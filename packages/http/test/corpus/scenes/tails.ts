import { ask, askJson, completed, note, run, type Scene } from "../scene.ts";

const TAILS = ["1", "2", "4", "5", "1000", "1001", "0", "-1", "01", "1.5", "1e2", "x", ""];

const streams = (tail: string, lastEventId: string): ReturnType<typeof ask> =>
  ask(
    "GET",
    run("ended", `/stream?tail=${tail}`),
    { headers: { "last-event-id": lastEventId }, name: `tail=${tail}, ${lastEventId}` },
    "session",
  );

export const TAIL_SCENES: readonly Scene[] = [
  {
    name: "the last events",
    runs: { ended: [note(1), note(2), note(3), completed], live: [note(1)], new: [], bobs: [] },
    steps: [
      ...TAILS.flatMap((tail) => [
        ask("GET", run("ended", `/events?tail=${tail}`)),
        ask("GET", run("ended", `/stream?tail=${tail}`), {}, "session"),
        ask("HEAD", run("ended", `/stream?tail=${tail}`), {}, "session"),
      ]),
      ...["tail=1&tail=1", "tail=1&since=0", "since=x&tail=1"].flatMap((query) => [
        ask("GET", run("ended", `/events?${query}`)),
        ask("GET", run("ended", `/stream?${query}`), {}, "session"),
      ]),
      ask("GET", run("ended", "/events?tail=3&limit=1")),
      ask("GET", run("ended", "/events?tail=1&wait=30")),
      ask("GET", run("live", "/events?tail=9&wait=30")),
      ask("GET", run("new", "/events?tail=9")),
      ask("GET", run("bobs", "/events?tail=1")),
      ask("GET", run("bobs", "/stream?tail=1"), {}, "session"),
      ask("GET", run("none", "/stream?tail=1"), {}, "session"),
      ...["0", "3", "4", "5", "x", ""].map((id) => streams("1", id)),
      streams("0", "3"),
      {
        open: "a poll of a new run",
        ...ask("GET", run("new", "/events?tail=2&wait=30"), { name: "a poll of a new run" }),
        until: 1,
      },
      askJson("POST", run("new", "/events"), { events: [note(1), note(2), note(3)] }),
      { end: "a poll of a new run" },
    ],
  },
];
