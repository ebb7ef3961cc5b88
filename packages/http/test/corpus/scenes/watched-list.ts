import { ask, completed, note, RUNS, type Scene } from "../scene.ts";

export const WATCHED_LIST_SCENES: readonly Scene[] = [
  {
    name: "the list of live and newest runs",
    runs: { live: [note(1)], ended: [note(1), completed], bobs: [] },
    steps: [
      ...[
        "feed=live",
        "feed",
        "feed=live&topic=tea",
        "feed=live&have=",
        "feed=live&have=x",
        "feed=live&wait=0",
        "feed=all",
        "feed=live&feed=live",
        "feed=live&status=live",
        "feed=live&cursor=1",
        "feed=live&limit=1",
        "feed=live&wait=31",
        "feed=live&topic=",
        "feed=live&last=true",
        "feed=live&last=1",
        "have=x",
        "last=true",
        "wait=1",
      ].map((query) => ask("GET", `${RUNS}?${query}`)),
      ask("GET", `${RUNS}?feed=live`, {}, "session"),
      ask("GET", `${RUNS}?feed=live`, {}, "bob"),
      ask("POST", `${RUNS}/live/cancel`),
      ask("GET", `${RUNS}?feed=live`),
      ask("DELETE", `${RUNS}/live`),
      ask("GET", `${RUNS}?feed=live`),
    ],
  },
];
