import { ask, askJson, note, RUNS, type Scene } from "../scene.ts";

const REQUESTED = { eventType: "INPUT_REQUESTED", payload: { question: "?" } };
const give = (runId: string, body: unknown): ReturnType<typeof askJson> =>
  askJson("POST", `${RUNS}/${runId}/input`, body);

export const INPUT_SCENES: readonly Scene[] = [
  {
    name: "inputs",
    runs: { new: [], asks: [note(), REQUESTED], bobs: [REQUESTED], ended: [note()] },
    steps: [
      give("new", { payload: "early" }),
      give("new", {}),
      ask("GET", `${RUNS}/asks/events`),
      ask("GET", `${RUNS}/asks/events?since=1&limit=1`),
      ask("GET", `${RUNS}?status=waiting`),
      ask("GET", `${RUNS}?status=live`),
      give("asks", { payload: { yes: true }, expectedSequence: 1 }),
      give("asks", { payload: { yes: true }, expectedSequence: 2 }),
      ask("GET", `${RUNS}/asks`),
      ask("GET", `${RUNS}/asks/events`),
      { append: "ended", events: [{ eventType: "RUN_FAILED" }] },
      give("ended", { payload: 1 }),
      give("bobs", { payload: 1 }),
      give("nowhere", { payload: 1 }),
      ...["x", [], { input: 1 }, { payload: 1, expectedSequence: "1" }].map((body) =>
        give("asks", body),
      ),
      askJson("POST", `${RUNS}/asks/events`, {
        events: [note(), { eventType: "INPUT_RECEIVED", payload: 1 }],
      }),
      ask("GET", `${RUNS}/asks/input`),
      { append: "asks", events: [REQUESTED] },
      ask("GET", `${RUNS}/asks/events?since=2&limit=1`),
    ],
  },
];
