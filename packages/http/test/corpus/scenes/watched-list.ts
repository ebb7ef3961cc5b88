import { ask, completed, note, RUNS, type Scene, type Step } from "../scene.ts";

/** The time after which the server looks at a list again: the clock of a scene moves only in its steps. */
const NEXT_LOOK: Step = { advanceMs: 250 };

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
      ].flatMap((query) => [NEXT_LOOK, ask("GET", `${RUNS}?${query}`)]),
      NEXT_LOOK,
      ask("GET", `${RUNS}?feed=live`, {}, "session"),
      ask("GET", `${RUNS}?feed=live`, {}, "bob"),
      ask("POST", `${RUNS}/live/cancel`),
      NEXT_LOOK,
      ask("GET", `${RUNS}?feed=live`),
      ask("DELETE", `${RUNS}/live`),
      NEXT_LOOK,
      ask("GET", `${RUNS}?feed=live`),
    ],
  },
];
