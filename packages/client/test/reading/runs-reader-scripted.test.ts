import { expect, it } from "vitest";
import { type Heard, listen, open } from "../listen.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { frame, type Script, startScriptedServer, stream } from "../scripted-server.ts";

const OPENED = frame({ type: "stream_opened" }, 2_000);

/** Follows `a` and `b` of a scripted server to their ends, on the fast clock. */
async function followScripted(script: Script): Promise<{
  readonly heard: readonly Heard[];
  readonly requests: readonly string[];
}> {
  const { baseUrl, requests } = await startScriptedServer(script);
  const heard = await onFastClock(async () => {
    const reader = open(baseUrl);
    const both = [listen(reader, "a"), listen(reader, "b")];
    await Promise.all(both.map(({ over }) => over));
    return both;
  });
  return { heard, requests };
}

function of(runId: string, ...sequences: readonly number[]): string {
  const state = { runStatus: "running", currentPhase: null, lastSequence: 9 };
  const events = sequences.map((sequence) =>
    frame({
      type: "run_event",
      runId,
      event: { sequence, eventType: "T", payload: null, createdAt: "" },
    }),
  );
  return (
    frame({ type: "connected", runId, since: (sequences[0] ?? 1) - 1, ...state }) + events.join("")
  );
}

function endOf(runId: string, lastSequence: number): string {
  return frame({
    type: "run_finished",
    runId,
    runStatus: "completed",
    currentPhase: null,
    lastSequence,
  });
}

it("a run that the server cannot read for now is asked for again after a pause, with all others", async () => {
  const failure = {
    type: "error",
    runId: "b",
    code: "store_unavailable",
    message: "",
    retryable: true,
  };
  const { heard, requests } = await followScripted((response, index) => {
    if (index === 0) stream(response, OPENED, of("a", 1), frame(failure));
    else stream(response, OPENED, of("a", 2), endOf("a", 2), of("b", 1), endOf("b", 1));
  });
  expect(requests).toEqual(["stream?runs=a:0,b:0", "stream?runs=a:1,b:0"]);
  expect(heard.map(({ sequences }) => sequences)).toEqual([[1, 2], [1]]);
  expect(heard[1]?.states).toContain("paused");
});
