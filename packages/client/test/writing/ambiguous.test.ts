import { startRun } from "@tm/run-events-client";
import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { onFastClock } from "../on-fast-clock.ts";
import { json, startScriptedServer } from "../scripted-server.ts";

type Answer = (response: ServerResponse) => void;

const LOST: Answer = (response) => response.destroy();
const SILENT: Answer = () => {};
const CUT: Answer = (response) => {
  response.writeHead(201, { "content-length": 100 }).write("{");
  setImmediate(() => response.destroy());
};
function refusal(status: number, code?: string): Answer {
  return (response) => json(response, status, code === undefined ? {} : { code });
}

/** The error of an append that gets these answers, the last of them for ever. */
async function failureOf(answers: readonly Answer[]): Promise<unknown> {
  const { baseUrl } = await startScriptedServer((response, index) => {
    if (index < 2)
      json(response, 201, { firstSequence: index, lastSequence: index, runStatus: "running" });
    else answers[Math.min(index - 2, answers.length - 1)]?.(response);
  });
  return onFastClock(async () => {
    const run = await startRun({ baseUrl, credential: { bearer: "b" }, patienceMs: 60_000 });
    try {
      return await run.append([{ eventType: "STEP" }]);
    } catch (error) {
      return error;
    }
  });
}

it.each<readonly [string, readonly Answer[]]>([
  ["whose answer is lost", [LOST]],
  ["that is never answered", [SILENT]],
  ["whose answer is cut", [CUT]],
  ["that the server fails at", [refusal(500, "internal")]],
  ["that the store does not answer", [refusal(503, "store_unavailable")]],
  ["that a gateway gives up", [refusal(504)]],
  ["whose answer is lost, and then too many requests are made", [LOST, refusal(429)]],
  [
    "whose answer is lost, and then the token is no longer valid",
    [LOST, refusal(401, "unauthenticated")],
  ],
  ["whose answer is lost, and then the run does not exist", [LOST, refusal(404, "not_found")]],
])("S7: an append may have landed %s", async (_, answers) => {
  expect(await failureOf(answers)).toMatchObject({ name: "RunEventsError", ambiguous: true });
});

it.each<readonly [string, readonly Answer[]]>([
  ["that is refused", [refusal(422, "invalid_event")]],
  ["with an unknown token", [refusal(401, "unauthenticated")]],
  ["that is one of too many", [refusal(429, "too_many_requests")]],
  [
    "whose answer is lost, to a run that has ended without it",
    [LOST, refusal(409, "run_finished")],
  ],
  ["whose answer is lost, where another sequence came", [LOST, refusal(412, "sequence_conflict")]],
])("W10: an append has not landed %s", async (_, answers) => {
  expect(await failureOf(answers)).toMatchObject({ name: "RunEventsError", ambiguous: false });
});
