import {
  mapPages,
  mapAnswers,
  mapProblems,
  runOf,
  type ServerMutant,
  answerJson,
  withBody,
} from "./server-mutant.ts";

/** Servers whose pages are wrong. */
export const pageMutants: readonly ServerMutant[] = [
  {
    name: "reads the run's status after the page",
    clause: "W16",
    ...mapPages(async (answer) => {
      if (answer.status !== 200 || answer.json["hasMore"] === true) return null;
      // What others have asked for meanwhile comes first.
      for (let turns = 0; turns < 5; turns++) await new Promise((next) => setImmediate(next));
      const { runStatus } = await runOf(answer.fetch, answer.request);
      return withBody(answer, { ...answer.json, runStatus });
    }),
  },
  {
    name: "answers a cursor past the end with an empty page",
    clause: "W15",
    ...mapProblems("cursor_ahead", ({ json: { lastSequence } }) =>
      answerJson(200, {
        events: [],
        runStatus: "running",
        currentPhase: null,
        lastSequence,
        hasMore: false,
      }),
    ),
  },
  {
    name: "parses payloads and writes them again",
    clause: "W1",
    ...mapPages((answer) => withBody(answer, answer.json)),
  },
  {
    name: "has times in whole seconds",
    clause: "W2",
    ...mapAnswers((answer) => {
      const text = answer.text.replace(/\.\d{3}Z"/g, 'Z"');
      return text === answer.text ? null : withBody(answer, text);
    }),
  },
  {
    name: "lets caches keep pages",
    clause: "W18",
    ...mapPages((answer) => {
      const headers = new Headers(answer.headers);
      headers.set("cache-control", "private");
      return new Response(answer.text, { status: answer.status, headers });
    }),
  },
];
