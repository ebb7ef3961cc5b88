import {
  answerWith,
  mapPages,
  mapAnswers,
  mapProblems,
  runOf,
  type ServerMutants,
  answerJson,
  withBody,
} from "./server-mutant.ts";

/** Servers whose pages are wrong. */
export const pageMutants: ServerMutants = {
  "reads the run's status after the page (W16)": mapPages(async (answer) => {
    if (answer.status !== 200 || answer.json["hasMore"] === true) return null;
    // Requests that others have made meanwhile come first.
    for (let turns = 0; turns < 5; turns++) await new Promise((next) => setImmediate(next));
    const { runStatus } = await runOf(answer.fetch, answer.request);
    return withBody(answer, { ...answer.json, runStatus });
  }),
  "answers a cursor past the end with an empty page (W15)": mapProblems(
    "cursor_ahead",
    ({ json: { lastSequence } }) =>
      answerJson(200, {
        events: [],
        runStatus: "running",
        currentPhase: null,
        lastSequence,
        hasMore: false,
      }),
  ),
  "parses payloads and writes them again (W1)": mapPages((answer) => withBody(answer, answer.json)),
  "has times in whole seconds (W2)": mapAnswers((answer) => {
    const text = answer.text.replace(/\.\d{3}Z"/g, 'Z"');
    return text === answer.text ? null : withBody(answer, text);
  }),
  "lets caches keep pages (W18)": mapPages((answer) =>
    answerWith(answer, { "cache-control": "private" }),
  ),
};
