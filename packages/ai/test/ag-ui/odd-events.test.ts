import type { RunAgentInput } from "@ag-ui/client";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { type AgentEvent, createThreads, type RecordedRun } from "../../src/ag-ui.ts";
import { createServer } from "./server.ts";

const OWNER = { ownerId: "ada" };
const INPUT = { threadId: "tea", messages: [], tools: [], context: [] };
const FINISHED = { type: "RUN_FINISHED" };
const ASKED = {
  ...FINISHED,
  outcome: { type: "interrupt", interrupts: [{ id: "i", reason: "approval" }] },
};

function open(): RunEvents {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return runs;
}

/** A value that is nested so deep. */
function nested(depth: number): unknown {
  return JSON.parse("[".repeat(depth) + "]".repeat(depth)) as unknown;
}

/** Records a run of these events, up to its end or its question. */
async function record(
  runs: RunEvents,
  runId: string,
  events: readonly AgentEvent[],
  input: Partial<RunAgentInput> = {},
): Promise<RecordedRun> {
  const request = { ...OWNER, input: { ...INPUT, runId, ...input } };
  const run = await createThreads({ runs }).record(request, async function* agent() {
    yield* events;
  });
  await run.done;
  return run;
}

it.each([
  { type: "MESSAGES_SNAPSHOT", messages: 5 },
  { type: "MESSAGES_SNAPSHOT", messages: [null] },
  { type: "CUSTOM", name: "x", value: 1, input: { messages: {} } },
])("a thread goes on after an event that AG-UI does not know: %j", async (event) => {
  const runs = open();
  await record(runs, "first", [event, FINISHED]);
  const { runId } = await record(runs, "second", [FINISHED]);
  expect(await runs.get(runId, OWNER)).toMatchObject({ runStatus: "completed" });
});

it("a run that asks nothing does not wait: the thread goes on", async () => {
  const runs = open();
  const nothing = { type: "RUN_FINISHED", outcome: { type: "interrupt", interrupts: [] } };
  const { runId } = await record(runs, "first", [nothing as AgentEvent]);
  expect(await runs.get(runId, OWNER)).toMatchObject({ runStatus: "completed" });
  await record(runs, "second", [FINISHED]);
});

it("a thread goes on after an input from the console", async () => {
  const runs = open();
  const asked = await record(runs, "first", [ASKED]);
  await runs.input(asked.runId, { messages: 5 }, OWNER);
  await runs.cancel(asked.runId, OWNER);
  const { runId } = await record(runs, "second", [FINISHED]);
  expect(await runs.get(runId, OWNER)).toMatchObject({ runStatus: "completed" });
});

it("an answer that is nested too deep is refused, and the run still waits", async () => {
  const runs = open();
  const { runId } = await record(runs, "first", [ASKED]);
  const server = createServer(runs);
  for (const depth of [997, 998, 999, 2_000]) {
    const resume = [{ interruptId: "i", status: "resolved", payload: nested(depth) }];
    const response = await server.ask("POST", "", { ...INPUT, runId: `deep-${depth}`, resume });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_request" });
    expect(await runs.get(runId, OWNER)).toMatchObject({ runStatus: "waiting" });
  }
});

it("a question that is nested too deep is refused, and no run is made of it", async () => {
  const runs = open();
  const content = { deep: nested(2_000) };
  const messages = [{ id: "m", role: "activity", activityType: "x", content }];
  const response = await createServer(runs).ask("POST", "", { ...INPUT, runId: "r", messages });
  expect(response.status).toBe(400);
  expect((await runs.list(OWNER)).runs).toEqual([]);
});

it("messages that calls of tools make, and neighbouring messages, are in the log once", async () => {
  const runs = open();
  const call = { type: "TOOL_CALL_START", toolCallName: "look" };
  const chunk = { type: "TEXT_MESSAGE_CHUNK", role: "assistant", delta: "tea" };
  await record(runs, "first", [
    { ...chunk, messageId: "a" } as AgentEvent,
    { ...chunk, messageId: "b" } as AgentEvent,
    { ...chunk, messageId: "c" } as AgentEvent,
    { ...call, toolCallId: "call-1" } as AgentEvent,
    { ...call, toolCallId: "call-2", parentMessageId: "d" } as AgentEvent,
    { type: "TOOL_CALL_CHUNK", toolCallId: "call-3", toolCallName: "look" } as AgentEvent,
    FINISHED,
  ]);
  const ids = ["a", "b", "c", "call-1", "d", "call-3", "call-2", "new"];
  const messages = ids.map((id) => ({ id, role: "user" as const, content: "tea" }));
  const { runId } = await record(runs, "second", [FINISHED], { messages });
  const [started] = (await runs.read(runId, OWNER)).events;
  // The call belongs to the message `d`, so its own id is that of no message.
  expect(started?.payload).toMatchObject({
    input: { messages: [{ id: "call-2" }, { id: "new" }] },
  });
});
