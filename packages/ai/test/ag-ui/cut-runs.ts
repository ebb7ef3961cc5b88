import type { RunEvents } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { createServer, textsOf } from "./server.ts";

const OWNER = { ownerId: "ada" };

type Open = () => Promise<RunEvents>;

const createId = (): string => crypto.randomUUID();

/** Runs that are cut short. */
export function cutRuns(open: Open): void {
  it("a stop by a page of another server reaches the agent, and all that is open is closed for its readers", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const page = here.openPage(createId());
    const sent = page.send("Why?");
    await here.agent.asked(1);
    here.agent.write(
      { type: "STEP_STARTED", stepName: "think" },
      { type: "REASONING_START", messageId: "r" },
      { type: "REASONING_MESSAGE_START", messageId: "r", role: "reasoning" },
      { type: "SUBAGENT_STARTED", subagentRunId: "s", name: "helper" },
      { type: "STEP_STARTED", stepName: "think", subagentRunId: "s" },
      { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "look" },
    );
    here.agent.say("Half ");
    await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
    const other = there.openPage(page.agent.threadId);
    other.agent.abortRun();
    await Promise.all([here.agent.stopped(), sent]);
    const cancelled = { type: "RUN_FINISHED", outcome: { type: "cancelled" } };
    expect(page.events.at(-1)).toMatchObject(cancelled);
    expect(page.events.map(({ type }) => type).slice(-8, -1)).toEqual([
      "TEXT_MESSAGE_END",
      "TOOL_CALL_END",
      "STEP_FINISHED",
      "SUBAGENT_FINISHED",
      "REASONING_MESSAGE_END",
      "REASONING_END",
      "STEP_FINISHED",
    ]);
    await other.agent.connectAgent();
    expect(other.events.at(-1)).toMatchObject(cancelled);
    expect(other.agent.messages).toEqual(page.agent.messages);
    const [run] = (await here.runs.list({ ...OWNER, topic: page.agent.threadId })).runs;
    expect(run?.runStatus).toBe("cancelled");
  });
}

/** Runs that their agents end, and large ones. */
export function endedRuns(open: Open): void {
  it.each([
    ["throws", "An error occurred.", "failed"],
    ["has no end", "The run was cut short.", "failed"],
    ["says that it has failed", "No model is free.", "failed"],
    ["says that it was cancelled", null, "cancelled"],
  ] as const)("an agent that %s", async (what, message, status) => {
    const server = createServer(await open());
    const page = server.openPage(createId());
    const sent = page.send("Why?");
    const { agent } = server;
    await agent.asked(1);
    agent.say("Half ");
    await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
    if (what === "throws") agent.fail(new Error("https://key@provider is overloaded"));
    else if (what === "has no end") agent.leave();
    else if (message === null) agent.finish({ type: "cancelled" });
    else agent.write({ type: "RUN_ERROR", message, code: "busy" });
    await sent;
    const end =
      message === null ? { outcome: { type: "cancelled" } } : { type: "RUN_ERROR", message };
    expect(page.events.at(-1)).toMatchObject(end);
    expect(textsOf(page.agent.messages)).toEqual(["Why?", "Half "]);
    const { threadId } = page.agent;
    const later = server.openPage(threadId);
    await later.agent.connectAgent();
    expect(later.events.map(({ type }) => type)).toEqual(page.events.map(({ type }) => type));
    const [run] = (await server.runs.list({ ...OWNER, topic: threadId })).runs;
    expect(run?.runStatus).toBe(status);
    const next = page.send("And?");
    await agent.asked(2);
    agent.finish();
    await next;
  });

  it("an event of 2 MB passes, and a request that comes again joins its run", async () => {
    const server = createServer(await open());
    const threadId = createId();
    const content = "QUJD".repeat(524_288);
    const input = { threadId, runId: createId(), messages: [{ id: "m", role: "user", content }] };
    const first = server.ask("POST", "", input);
    await server.agent.asked(1);
    server.agent.write({ type: "CUSTOM", name: "big", value: content });
    const second = server.ask("POST", "", input);
    server.agent.say("Seen.");
    server.agent.finish();
    const [one, two] = await Promise.all(
      [first, second].map(async (given) => (await given).text()),
    );
    expect(one).toBe(two);
    expect(one?.split(content)).toHaveLength(3);
    expect(await (await server.ask("POST", "", input)).text()).toBe(one);
  });
}
