import { ask, completed, note, RUNS, type Scene } from "../scene.ts";

export const CHANGED_RUNS_SCENES: readonly Scene[] = [
  {
    name: "changed runs",
    runs: { live: [note(1)], ended: [note(1), completed], bobs: [] },
    steps: [
      ...[
        "changedSince=",
        "changedSince",
        "changedSince=&topic=tea",
        "changedSince=&limit=1",
        "changedSince=&wait=0",
        "changedSince=0",
        "changedSince=1.0.0.0.0....",
        "changedSince=1.0.0.zz....",
        "changedSince=&changedSince=",
        "changedSince=&status=live",
        "changedSince=&cursor=1",
        "changedSince=&limit=201",
        "changedSince=&wait=31",
        "changedSince=&topic=",
        "changedSince=&last=true",
        "changedSince=&last=1",
      ].map((query) => ask("GET", `${RUNS}?${query}`)),
      ask("GET", `${RUNS}?changedSince=`, {}, "session"),
      ask("GET", `${RUNS}?changedSince=`, {}, "bob"),
      ask("POST", `${RUNS}/live/cancel`),
      ask("GET", `${RUNS}?changedSince=`),
      ask("DELETE", `${RUNS}/live`),
      ask("GET", `${RUNS}?changedSince=`),
    ],
  },
];
